import { type ErrorKind, type ErrorRow, row } from './error-row.ts';
import { WORKFLOW_ERRORS } from './workflow-errors.ts';

/**
 * Every error a user can meet has a row here: a stable code, what kind it is, and the exit code of
 * the command line. Messages are written where the error is made, since only there the thing and the
 * cure are known; they name both. `docs/errors.md` is generated from this table.
 */
export const ERRORS = {
  // configuration and command line
  'option.unknown': row('user', 'An option or command is not known.', 'See `nodeflow help`.'),
  'config.invalid': row(
    'user',
    'A configuration key is unknown or its value does not fit.',
    'See docs/configuration.md.',
  ),
  'file.missing': row('user', 'A file that was named is not there.', 'Check the path.'),
  'file.broken': row('user', 'A file cannot be read as the format it should have.', 'Replace or repair the file.'),
  'input.invalid': row(
    'user',
    'A line of standard input cannot be read as a record.',
    'Correct the line that the message names, and give those from it on again.',
  ),
  // plans
  'plan.invalid': row('user', 'The topology cannot run as written.', 'Fix each fault that the message lists.'),
  'plan.mismatch': row(
    'user',
    'Processes or workers of an application have different plans.',
    'Stop what runs the other plan, or give one another name; make the topology module deterministic.',
  ),
  'plan.incompatible': row(
    'user',
    'The state that an application left does not fit its changed topology.',
    'Do what the message says of each store; docs/evolution.md tells what may change.',
  ),
  // queries
  'query.invalid': row(
    'user',
    'A query asks for a store that there is not, or that is of another kind, or without a limit.',
    'Ask as the message says; docs/queries.md lists what each kind of store answers.',
  ),
  'query.elsewhere': row(
    'transient',
    'The partition of a queried key is not held by this process.',
    'Ask the process that has it.',
  ),
  'query.restoring': row(
    'transient',
    'The state of a queried partition is still being restored.',
    'Ask again when the application is ready.',
  ),
  // topics
  'topic.missing': row('user', 'A topic does not exist.', 'Create it, or check its name.'),
  'topic.exists': row('user', 'A topic exists already.', 'Choose another name.'),
  'topic.recreated': row(
    'user',
    'A topic was deleted and made anew under the same name while it was in use.',
    'Start again from positions of the new topic: reset the application, or put the old topic back.',
  ),
  'topic.partitions': row(
    'user',
    'A topic has another partition count than the plan says.',
    'Change the plan or recreate the topic.',
  ),
  'topic.settings': row(
    'user',
    'A topic has settings under which the plan cannot run.',
    'Apply the settings that the message names.',
  ),
  'group.missing': row('user', 'A group is not known.', 'Check its name: `nodeflow groups` lists those there are.'),
  // schemas
  'schema.invalid': row('user', 'A schema is not valid, or a name in it is not allowed.', 'Correct the schema.'),
  'schema.mismatch': row(
    'permanent',
    'Bytes or a value do not fit the schema.',
    'See the dead letter, or correct the schema.',
  ),
  'schema.drift': row(
    'user',
    'A generated module is not what its schema gives.',
    'Run `nodeflow schemas generate` on the folder.',
  ),
  'registry.missing': row(
    'user',
    'Schemas of the plan are kept in a registry, and none is configured.',
    'Set registry.url to that of a schema registry, or to `embedded`.',
  ),
  'registry.unreachable': row(
    'transient',
    'The schema registry does not answer.',
    'Check that it runs and that registry.url names it. What is known already goes on.',
  ),
  'registry.security': row(
    'user',
    'The schema registry and this client do not agree on TLS, or its certificate was not accepted.',
    'Check http and https in registry.url, and set registry.ca.',
  ),
  'registry.credentials': row(
    'user',
    'The schema registry refused the user or its password, or wants some and none were given.',
    'Check registry.username and registry.password.',
  ),
  'registry.refused': row(
    'permanent',
    'The schema registry refused a request, or is none.',
    'See the message: it gives the reason of the registry.',
  ),
  'registry.incompatible': row(
    'user',
    'A schema does not go with those of its subject.',
    'Change the field that the message names, or the rule of the subject.',
  ),
  'registry.unknown': row('permanent', 'A schema id is not known.', 'Fetch it from the registry first.'),
  'registry.unbound': row(
    'user',
    'A serde whose schema a registry keeps was used before it was bound to one.',
    'Use it within an application, or bind its topic.',
  ),
  'serde.unknown': row('user', 'A serde is not known.', 'Use one of those the message lists.'),
  // log
  'log.corrupt': row(
    'system',
    'Stored batches fail their checksum or structure.',
    'Restore the segment; the message names topic, partition and position.',
  ),
  'log.oversize': row(
    'permanent',
    'A batch or record is larger than the topic allows.',
    'Raise max.message.bytes of the topic, or write smaller records.',
  ),
  'log.range': row(
    'permanent',
    'A position lies outside the partition.',
    'Reset the position; retention may have removed it.',
  ),
  'log.locked': row('user', 'Another process owns the folder of the log.', 'Stop that process, or use another folder.'),
  'log.fenced': row(
    'system',
    'A newer owner has taken over; this one may write nothing more.',
    'None: the newer owner goes on.',
  ),
  'log.generation': row(
    'transient',
    'The group has a newer generation than the member under whose name positions were sent.',
    'Retried by the engine under its next assignment.',
  ),
  'log.full': row('system', 'The disk is full or cannot be written.', 'Free space and start again; nothing is lost.'),
  'log.timeout': row(
    'transient',
    'The log did not answer in time; the outcome may be unknown.',
    'Retried by the engine.',
  ),
  'log.aborted': row('transient', 'A transaction was aborted.', 'Retried by the engine.'),
  'log.closed': row('system', 'The log was closed.', 'None.'),
  'log.unsupported': row(
    'user',
    'The driver cannot do what was asked.',
    'Use a driver with that capability; see docs/drivers.md.',
  ),
  'log.format': row('user', 'Files were written by a newer version.', 'Use that version or a newer one.'),
  // Kafka
  'kafka.unreachable': row(
    'transient',
    'No broker of the cluster could be reached.',
    'Check the addresses, and that each broker advertises one that can be reached from here.',
  ),
  'kafka.security': row(
    'user',
    'A broker and this client do not agree on TLS, or a certificate was not accepted.',
    'Turn TLS on or off as the listener wants it, and give the authority that signed its certificate.',
  ),
  'kafka.credentials': row(
    'user',
    'A broker refused the credentials, or wants some and none were given.',
    'Check mechanism, user and secret.',
  ),
  'kafka.rights': row(
    'user',
    'The user may not do what was asked on a topic, group, transactional id or the cluster.',
    'Grant the right that the message names.',
  ),
  'kafka.version': row('user', 'A broker is too old.', 'Upgrade it to Kafka 3.7 or newer.'),
  'kafka.replication': row(
    'user',
    'The cluster has fewer brokers than copies of a partition were asked for.',
    'Add brokers, or ask for fewer copies.',
  ),
  'kafka.clock': row(
    'user',
    'The clock of this machine and that of the cluster are more than 10 s apart.',
    'Set both by NTP.',
  ),
  'kafka.refused': row(
    'permanent',
    'A broker refused a request for a reason that asking again does not change.',
    'See the message: it gives the reason of the broker.',
  ),
  // state
  'state.corrupt': row(
    'system',
    'A local store is corrupt; it is set aside and rebuilt.',
    'None, unless it recurs: check the disk.',
  ),
  'state.incomplete': row(
    'user',
    'Records of a changelog are gone that no store of this process has, so that its state cannot be rebuilt.',
    'Put the topic, or stores that are newer, back from a copy; else reset the application.',
  ),
  'state.unavailable': row(
    'system',
    'The native store cannot be loaded.',
    'Install libatomic1, or run on memory alone.',
  ),
  'state.bound': row(
    'system',
    'State does not fit its memory bound and cannot be spilled.',
    'Raise state.memory, or make RocksDB available.',
  ),
  'state.format': row(
    'user',
    'A local store or a changelog was written by a newer version.',
    'Use that version or a newer one.',
  ),
  'state.schema': row(
    'user',
    'A store has rows of a schema that cannot be read under the present one.',
    'Correct the field that the message names, give the store another name, or reset the application.',
  ),
  'state.locked': row(
    'user',
    'Another owner has the folder of a store open.',
    'Stop that process, or use another folder.',
  ),
  'state.full': row(
    'system',
    'The disk of a local store is full or cannot be written.',
    'Free space and start again; nothing is lost.',
  ),
  // local services
  'tool.missing': row(
    'user',
    'A program that a command needs is missing or too old.',
    'Install what the message names.',
  ),
  'database.unreachable': row('transient', 'A database cannot be opened.', 'Check its address, and that it runs.'),
  'projections.migration': row(
    'user',
    'The tables of the read side are not those of this version.',
    'Run the version that made them, or drop them: they are made anew from the events.',
  ),
  'export.failed': row(
    'transient',
    'The system that records are exported to took none.',
    'See that it answers; the export goes on where it stood.',
  ),
  'export.refused': row(
    'user',
    'The system that records are exported to refuses a record.',
    'Correct the table, the request or the records that the message names.',
  ),
  'gateway.unreachable': row(
    'transient',
    'No workflows are served where a command looks for them.',
    'Start them with `nodeflow serve`, or set gateway.url.',
  ),
  'gateway.closed': row(
    'transient',
    'A stream of live events has ended before its time.',
    'Connect again, and go on behind the last cursor that came.',
  ),
  'gateway.failed': row('system', 'A request failed for a reason of the engine.', 'See the log of the process.'),
  'gateway.unprotected': row(
    'user',
    'The HTTP interface would be open to everybody on a network.',
    'Set an API key, or bind it to the loopback.',
  ),
  'gateway.unauthorized': row(
    'user',
    'A request came without a key that opens the door.',
    'Send an API key as a bearer token.',
  ),
  'gateway.forbidden': row(
    'user',
    "A browser's page of another site asked, or a name that is not this host's.",
    'Ask from the same origin, by 127.0.0.1 or with an API key.',
  ),
  'gateway.not-found': row('user', 'There is nothing at this address.', 'See /openapi.json.'),
  'gateway.request': row(
    'user',
    'A request does not fit its schema.',
    'Correct what the message names; see /openapi.json.',
  ),
  'gateway.no-list': row(
    'transient',
    'Executions cannot be listed, since there is no read side.',
    'Configure its database, or ask for executions by their ids.',
  ),
  'port.taken': row('user', 'A port is in use already.', 'Stop what listens there, or choose another port.'),
  'kafka.fetch': row('transient', 'Kafka could not be fetched.', 'Check the network, then give the command again.'),
  'kafka.start': row('system', 'A local broker did not start.', 'Correct what its last log lines say.'),
  // expressions
  'expression.failed': row(
    'permanent',
    'An expression failed on the data that it was given.',
    'Do as the message says: it names the place in the expression, what was wrong there and what to write.',
  ),
  'expression.unsafe': row(
    'system',
    'The code that was made from an expression is not what the generator may make; it was not run.',
    'Report the expression: this is a fault of the engine.',
  ),
  // running
  'record.failed': row(
    'permanent',
    'An operator failed on a record.',
    'See the dead letter or the log; choose a policy.',
  ),
  'suppress.full': row(
    'user',
    'A buffer that holds updates back is full, and may not let any out early.',
    'Raise its bound, or let updates out early.',
  ),
  'record.undecodable': row('permanent', 'A record cannot be decoded.', 'See the dead letter; choose a policy.'),
  'dead-letter.unknown': row(
    'user',
    'There is no dead letter of this id.',
    'Check the id: `nodeflow dead-letters list` has them.',
  ),
  'dead-letter.not-redrivable': row(
    'user',
    'A dead letter cannot be sent back to where it came from.',
    'See the message: it says why, and what can be done instead.',
  ),
  'dead-letter.unfit': row(
    'user',
    'What is to be sent in place of a dead letter is not what can be taken there.',
    'Correct what the message names.',
  ),
  'task.lost': row('transient', 'A task was taken away while it worked.', 'Retried by its new owner.'),
  'worker.failed': row(
    'system',
    'A worker thread ended unexpectedly, and so did the one that took its place.',
    'See the cause in the message: user code that throws outside of a record, or ends the process.',
  ),
  // workflows
  ...WORKFLOW_ERRORS,
  stopped: row('transient', 'The run was stopped before it ended.', 'Start it again; it continues.'),
} as const satisfies Record<string, ErrorRow>;

export type { ErrorKind };
export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of {@link ERRORS}; its message names the thing and the cure. */
export class FlowError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FlowError';
    this.code = code;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function isFlowError(thrown: unknown, code?: ErrorCode): thrown is FlowError {
  return thrown instanceof FlowError && (code === undefined || thrown.code === code);
}
