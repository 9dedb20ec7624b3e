import { type ErrorCode, FlowError } from '../../core/errors.ts';

/**
 * What an error code of a broker means for us:
 *
 * - `refresh`: what we know of leaders or coordinators is stale; ask again after looking anew.
 * - `retry`: it passes by itself; ask again.
 * - `fatal`: asking again changes nothing; it becomes a `FlowError`.
 */
export type Meaning = 'refresh' | 'retry' | 'fatal';

export interface KafkaError {
  readonly name: string;
  readonly meaning: Meaning;
  /** The error that it becomes where it is fatal. */
  readonly code: ErrorCode;
  /** What to do, for the message. */
  readonly cure: string;
}

const refresh = (name: string): KafkaError => ({ name, meaning: 'refresh', code: 'log.timeout', cure: '' });
const retry = (name: string): KafkaError => ({ name, meaning: 'retry', code: 'log.timeout', cure: '' });
const fatal = (name: string, code: ErrorCode, cure: string): KafkaError => ({ name, meaning: 'fatal', code, cure });
const refused = (name: string): KafkaError => fatal(name, 'kafka.refused', 'see the log of the broker for the reason');
const fenced = (name: string): KafkaError =>
  fatal(name, 'log.fenced', 'a newer owner of the transactional id has taken over; this one must stop');
const rejoin = (name: string): KafkaError =>
  fatal(name, 'log.generation', 'the group has moved on without this member; wait for the next assignment');
const rights = (name: string, right: string): KafkaError => fatal(name, 'kafka.rights', `grant the user ${right}`);
const old = (name: string): KafkaError => fatal(name, 'kafka.version', 'upgrade the brokers to Kafka 3.7 or newer');

/** Every error code of the protocol (Apache Kafka, clients/.../protocol/Errors.java). */
export const KAFKA_ERRORS: Readonly<Record<number, KafkaError>> = {
  [-1]: retry('UNKNOWN_SERVER_ERROR'),
  1: fatal('OFFSET_OUT_OF_RANGE', 'log.range', 'reset the position to one within the partition'),
  2: retry('CORRUPT_MESSAGE'),
  3: refresh('UNKNOWN_TOPIC_OR_PARTITION'),
  4: refused('INVALID_FETCH_SIZE'),
  5: refresh('LEADER_NOT_AVAILABLE'),
  6: refresh('NOT_LEADER_OR_FOLLOWER'),
  7: retry('REQUEST_TIMED_OUT'),
  8: refresh('BROKER_NOT_AVAILABLE'),
  9: refresh('REPLICA_NOT_AVAILABLE'),
  10: fatal('MESSAGE_TOO_LARGE', 'log.oversize', 'raise max.message.bytes of the topic, or write smaller batches'),
  11: refresh('STALE_CONTROLLER_EPOCH'),
  12: fatal('OFFSET_METADATA_TOO_LARGE', 'log.oversize', 'keep less text with the position'),
  13: refresh('NETWORK_EXCEPTION'),
  14: retry('COORDINATOR_LOAD_IN_PROGRESS'),
  15: refresh('COORDINATOR_NOT_AVAILABLE'),
  16: refresh('NOT_COORDINATOR'),
  17: fatal('INVALID_TOPIC_EXCEPTION', 'topic.settings', 'use a name that Kafka takes, and not one of its own topics'),
  18: fatal('RECORD_LIST_TOO_LARGE', 'log.oversize', 'raise segment.bytes of the topic, or write smaller batches'),
  19: retry('NOT_ENOUGH_REPLICAS'),
  20: retry('NOT_ENOUGH_REPLICAS_AFTER_APPEND'),
  21: refused('INVALID_REQUIRED_ACKS'),
  22: rejoin('ILLEGAL_GENERATION'),
  23: fatal(
    'INCONSISTENT_GROUP_PROTOCOL',
    'kafka.refused',
    'a group of this name belongs to other clients: give the application another name, or stop them',
  ),
  24: fatal('INVALID_GROUP_ID', 'kafka.refused', 'use a group name that is not empty'),
  25: rejoin('UNKNOWN_MEMBER_ID'),
  26: fatal(
    'INVALID_SESSION_TIMEOUT',
    'kafka.refused',
    'choose a session timeout between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers',
  ),
  27: rejoin('REBALANCE_IN_PROGRESS'),
  28: fatal('INVALID_COMMIT_OFFSET_SIZE', 'log.oversize', 'keep less text with the positions'),
  29: rights(
    'TOPIC_AUTHORIZATION_FAILED',
    'Read, Write, Describe and DescribeConfigs (to make it Create, to alter it AlterConfigs) on the topic',
  ),
  30: rights('GROUP_AUTHORIZATION_FAILED', 'Read and Describe (and to delete it Delete) on the group'),
  31: rights('CLUSTER_AUTHORIZATION_FAILED', 'Create or IdempotentWrite on the cluster'),
  32: fatal(
    'INVALID_TIMESTAMP',
    'kafka.refused',
    'raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic',
  ),
  33: fatal('UNSUPPORTED_SASL_MECHANISM', 'kafka.credentials', 'use a mechanism that the listener offers'),
  34: fatal(
    'ILLEGAL_SASL_STATE',
    'kafka.credentials',
    'give credentials where the listener wants them, and only there',
  ),
  35: old('UNSUPPORTED_VERSION'),
  36: fatal('TOPIC_ALREADY_EXISTS', 'topic.exists', 'choose another name'),
  37: fatal('INVALID_PARTITIONS', 'topic.settings', 'ask for at least one partition'),
  38: fatal(
    'INVALID_REPLICATION_FACTOR',
    'kafka.replication',
    'add brokers, or ask for fewer copies (kafka.replication)',
  ),
  39: refused('INVALID_REPLICA_ASSIGNMENT'),
  40: fatal('INVALID_CONFIG', 'topic.settings', 'change the setting that the broker names'),
  41: refresh('NOT_CONTROLLER'),
  42: refused('INVALID_REQUEST'),
  43: old('UNSUPPORTED_FOR_MESSAGE_FORMAT'),
  44: fatal('POLICY_VIOLATION', 'kafka.refused', 'follow the policy that the brokers have for topics'),
  45: refused('OUT_OF_ORDER_SEQUENCE_NUMBER'),
  46: refused('DUPLICATE_SEQUENCE_NUMBER'),
  47: fenced('INVALID_PRODUCER_EPOCH'),
  48: refused('INVALID_TXN_STATE'),
  49: fenced('INVALID_PRODUCER_ID_MAPPING'),
  50: fatal(
    'INVALID_TRANSACTION_TIMEOUT',
    'kafka.refused',
    'choose a transaction timeout of at most transaction.max.timeout.ms of the brokers',
  ),
  51: retry('CONCURRENT_TRANSACTIONS'),
  52: retry('TRANSACTION_COORDINATOR_FENCED'),
  53: rights('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'Write and Describe on the transactional id'),
  54: fatal('SECURITY_DISABLED', 'kafka.refused', 'turn on an authorizer in the brokers'),
  55: retry('OPERATION_NOT_ATTEMPTED'),
  56: refresh('KAFKA_STORAGE_ERROR'),
  57: refused('LOG_DIR_NOT_FOUND'),
  58: fatal('SASL_AUTHENTICATION_FAILED', 'kafka.credentials', 'check user and secret'),
  59: refused('UNKNOWN_PRODUCER_ID'),
  60: retry('REASSIGNMENT_IN_PROGRESS'),
  61: refused('DELEGATION_TOKEN_AUTH_DISABLED'),
  62: refused('DELEGATION_TOKEN_NOT_FOUND'),
  63: refused('DELEGATION_TOKEN_OWNER_MISMATCH'),
  64: refused('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'),
  65: rights('DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'Describe on the delegation token'),
  66: fatal('DELEGATION_TOKEN_EXPIRED', 'kafka.credentials', 'get a new token'),
  67: refused('INVALID_PRINCIPAL_TYPE'),
  68: fatal('NON_EMPTY_GROUP', 'log.locked', 'stop its members first'),
  69: refused('GROUP_ID_NOT_FOUND'),
  70: retry('FETCH_SESSION_ID_NOT_FOUND'),
  71: retry('INVALID_FETCH_SESSION_EPOCH'),
  72: refresh('LISTENER_NOT_FOUND'),
  73: fatal('TOPIC_DELETION_DISABLED', 'kafka.refused', 'set delete.topic.enable=true in the brokers'),
  74: refresh('FENCED_LEADER_EPOCH'),
  75: refresh('UNKNOWN_LEADER_EPOCH'),
  76: refused('UNSUPPORTED_COMPRESSION_TYPE'),
  77: refresh('STALE_BROKER_EPOCH'),
  78: retry('OFFSET_NOT_AVAILABLE'),
  79: rejoin('MEMBER_ID_REQUIRED'),
  80: refresh('PREFERRED_LEADER_NOT_AVAILABLE'),
  81: fatal('GROUP_MAX_SIZE_REACHED', 'kafka.refused', 'raise group.max.size of the brokers, or use fewer members'),
  82: rejoin('FENCED_INSTANCE_ID'),
  83: retry('ELIGIBLE_LEADERS_NOT_AVAILABLE'),
  84: retry('ELECTION_NOT_NEEDED'),
  85: refused('NO_REASSIGNMENT_IN_PROGRESS'),
  86: refused('GROUP_SUBSCRIBED_TO_TOPIC'),
  87: refused('INVALID_RECORD'),
  88: retry('UNSTABLE_OFFSET_COMMIT'),
  89: retry('THROTTLING_QUOTA_EXCEEDED'),
  90: fenced('PRODUCER_FENCED'),
  91: refused('RESOURCE_NOT_FOUND'),
  92: refused('DUPLICATE_RESOURCE'),
  93: refused('UNACCEPTABLE_CREDENTIAL'),
  94: refused('INCONSISTENT_VOTER_SET'),
  95: refused('INVALID_UPDATE_VERSION'),
  96: old('FEATURE_UPDATE_FAILED'),
  97: refused('PRINCIPAL_DESERIALIZATION_FAILURE'),
  98: retry('SNAPSHOT_NOT_FOUND'),
  99: retry('POSITION_OUT_OF_RANGE'),
  100: refresh('UNKNOWN_TOPIC_ID'),
  101: refused('DUPLICATE_BROKER_REGISTRATION'),
  102: refused('BROKER_ID_NOT_REGISTERED'),
  103: refresh('INCONSISTENT_TOPIC_ID'),
  104: refused('INCONSISTENT_CLUSTER_ID'),
  105: refused('TRANSACTIONAL_ID_NOT_FOUND'),
  106: retry('FETCH_SESSION_TOPIC_ID_ERROR'),
  107: refresh('INELIGIBLE_REPLICA'),
  108: refresh('NEW_LEADER_ELECTED'),
  109: retry('OFFSET_MOVED_TO_TIERED_STORAGE'),
  110: rejoin('FENCED_MEMBER_EPOCH'),
  111: rejoin('UNRELEASED_INSTANCE_ID'),
  112: refused('UNSUPPORTED_ASSIGNOR'),
  113: rejoin('STALE_MEMBER_EPOCH'),
  114: refused('MISMATCHED_ENDPOINT_TYPE'),
  115: refused('UNSUPPORTED_ENDPOINT_TYPE'),
  116: refused('UNKNOWN_CONTROLLER_ID'),
  117: refused('UNKNOWN_SUBSCRIPTION_ID'),
  118: refused('TELEMETRY_TOO_LARGE'),
  119: refused('INVALID_REGISTRATION'),
  120: fatal('TRANSACTION_ABORTABLE', 'log.aborted', 'the transaction must be aborted; its work is done again'),
  121: refused('INVALID_RECORD_STATE'),
  122: retry('SHARE_SESSION_NOT_FOUND'),
  123: retry('INVALID_SHARE_SESSION_EPOCH'),
  124: refresh('FENCED_STATE_EPOCH'),
  125: refused('INVALID_VOTER_KEY'),
  126: refused('DUPLICATE_VOTER'),
  127: refused('VOTER_NOT_FOUND'),
  128: refused('INVALID_REGULAR_EXPRESSION'),
  129: refresh('REBOOTSTRAP_REQUIRED'),
  130: refused('STREAMS_INVALID_TOPOLOGY'),
  131: refused('STREAMS_INVALID_TOPOLOGY_EPOCH'),
  132: refused('STREAMS_TOPOLOGY_FENCED'),
  133: retry('SHARE_SESSION_LIMIT_REACHED'),
};

/**
 * What was asked cannot be answered now, for a reason that passes: ask again, and where `refresh` says so look anew
 * at who leads or coordinates. It never leaves the driver.
 */
export class Stale extends Error {
  /** The code of the broker; 0 where it was not the broker that said so. */
  readonly errorCode: number;
  readonly refresh: boolean;

  constructor(message: string, refresh: boolean, errorCode = 0, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Stale';
    this.errorCode = errorCode;
    this.refresh = refresh;
  }
}

/** The error that a broker's code becomes. `what` names what was asked, `detail` is what the broker says besides. */
export function failureOf(errorCode: number, what: string, detail?: string | null): Stale | FlowError {
  const row = KAFKA_ERRORS[errorCode];
  const name = `${row?.name ?? 'an error that is not known here'} (${errorCode})`;
  const reason = detail === null || detail === undefined || detail === '' ? '' : `: ${detail}`;
  if (row === undefined) return new FlowError('kafka.refused', `${what}: the broker answers ${name}${reason}`);
  if (row.meaning === 'fatal') {
    return new FlowError(row.code, `${what}: the broker answers ${name}${reason}; ${row.cure}`);
  }
  return new Stale(`the broker answers ${name}${reason}`, row.meaning === 'refresh', errorCode);
}
