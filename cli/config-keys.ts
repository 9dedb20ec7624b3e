import { DEFAULT_SETTINGS } from '../runtime/runtime.ts';

/**
 * Every configuration key: what it takes, what holds where it is not given, and what it does.
 * `docs/configuration.md` is printed from this table.
 */
export type KeyType =
  | { readonly kind: 'text' }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'count'; readonly min: number; readonly max: number }
  /** Milliseconds, or a number with `ms`, `s`, `min` or `h`. */
  | { readonly kind: 'duration' }
  /** Bytes, or a number with `KiB`, `MiB` or `GiB`. */
  | { readonly kind: 'size' };

export interface ConfigKey {
  readonly type: KeyType;
  readonly default: string | number | undefined;
  readonly about: string;
}

const text = (fallback: string | undefined, about: string): ConfigKey => ({
  type: { kind: 'text' },
  default: fallback,
  about,
});
const choice = (of: readonly string[], fallback: string | undefined, about: string): ConfigKey => ({
  type: { kind: 'choice', of },
  default: fallback,
  about,
});
const count = (min: number, max: number, fallback: number | undefined, about: string): ConfigKey => ({
  type: { kind: 'count', min, max },
  default: fallback,
  about,
});
const duration = (fallback: number | undefined, about: string): ConfigKey => ({
  type: { kind: 'duration' },
  default: fallback,
  about,
});
const size = (fallback: number, about: string): ConfigKey => ({ type: { kind: 'size' }, default: fallback, about });

export const CONFIG_KEYS = {
  'data.folder': text('.nodeflow/data', 'The folder of the log and of the local stores, from the current folder.'),
  brokers: text(undefined, 'The brokers of a Kafka cluster, `host:port`, several with commas between.'),
  'log.driver': choice(
    ['file', 'memory', 'kafka', 'kafkajs', 'confluent'],
    undefined,
    'Where topics live: segments on disk, memory that ends with the process, a Kafka cluster, or such a cluster by a ' +
      'client of another make, which has to be installed (docs/drivers.md). ' +
      'Without it: `kafka` where brokers are named, else `file`.',
  ),
  'kafka.clientId': text('nodeflow', 'The name under which brokers log and count this process.'),
  'kafka.replication': count(
    1,
    100,
    undefined,
    'Copies of each partition of the topics that are made; where it is set, topics of the application that have fewer ' +
      'are refused. Without it: three, or all brokers where they are fewer.',
  ),
  'kafka.patience': duration(30_000, 'How long a request to the cluster may take, with all its retries.'),
  'kafka.tls': choice(
    ['on', 'off'],
    undefined,
    'Whether connections are encrypted. Without it: on where `kafka.ca` is given.',
  ),
  'kafka.ca': text(undefined, "A PEM file with the authorities that sign the brokers' certificates."),
  'kafka.certificate': text(undefined, 'A PEM file with a certificate of our own, where the brokers ask for one.'),
  'kafka.key': text(undefined, 'A PEM file with the key of that certificate.'),
  'kafka.mechanism': choice(
    ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
    undefined,
    'How to sign in. Without it: not at all.',
  ),
  'kafka.username': text(undefined, 'The user to sign in as.'),
  'kafka.password': text(undefined, 'The password of that user; better given in the environment than in a file.'),
  'kafka.token': text(undefined, 'The token for OAUTHBEARER.'),
  'gateway.host': text('127.0.0.1', 'The address on which `nodeflow serve` answers; a public one needs `gateway.key`.'),
  'gateway.port': count(0, 65535, 7070, 'The port on which it answers; 0 takes a free one.'),
  'gateway.url': text('http://127.0.0.1:7070', 'Where commands find the workflows that are served.'),
  'gateway.key': text(
    undefined,
    'The API key of the gateway: `nodeflow serve` asks for it, and commands send it. Better given in the environment.',
  ),
  'projections.database': text(
    undefined,
    'Where executions are kept to be listed and searched: `postgres://...`, or `none`. Without it: PGlite in the data ' +
      'folder.',
  ),
  'logging.level': choice(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'warn',
    'Lines below this level are not written to standard error.',
  ),
  'logging.form': choice(
    ['plain', 'json'],
    undefined,
    'How log lines are written. Without it: plain on a terminal, else JSON.',
  ),
  'metrics.host': text('127.0.0.1', 'The address on which metrics are served.'),
  'metrics.port': count(
    0,
    65535,
    undefined,
    'Serves /metrics, /healthz and /readyz on this port; 0 takes a free one. Without it: not served.',
  ),
  'output.compression': choice(
    ['none', 'lz4', 'zstd'],
    DEFAULT_SETTINGS.compression,
    'How batches of output and of changelogs are compressed. Batches that pass through whole stay as they are.',
  ),
  'registry.url': text(
    undefined,
    'The schema registry that keeps the schemas of registered serdes, `http://host:port`, several with commas between; ' +
      '`embedded` for one on the log itself. Without it: `embedded` on the logs `file` and `memory`, else none.',
  ),
  'registry.username': text(undefined, 'The user to sign in to the registry as.'),
  'registry.password': text(undefined, 'The password of that user; better given in the environment than in a file.'),
  'registry.ca': text(undefined, "A PEM file with the authorities that sign the registry's certificate."),
  'registry.certificate': text(undefined, 'A PEM file with a certificate of our own, where the registry asks for one.'),
  'registry.key': text(undefined, 'A PEM file with the key of that certificate.'),
  'registry.patience': duration(10_000, 'How long a request to the registry may take, with all its repetitions.'),
  'run.guarantee': choice(
    ['exactly-once', 'at-least-once'],
    DEFAULT_SETTINGS.guarantee,
    'What a crash may do to results. `at-least-once` takes no transactions and shows outputs before the commit; ' +
      'after a crash some records count twice. See guarantees.md.',
  ),
  'run.workers': count(1, 64, DEFAULT_SETTINGS.workers, 'Worker threads; with 1 everything runs in the main thread.'),
  'run.instanceId': text(
    undefined,
    'Makes this process a static member of its group: started again under the same id within its session it takes up ' +
      'its tasks where it left them, and no other process is assigned anew. Every process needs one of its own. ' +
      'Without it: a process that stops gives its tasks away at once.',
  ),
  'run.sessionTimeout': duration(
    undefined,
    'A process that is not heard of for longer loses its tasks. Without it: 6 s, with `run.instanceId` 45 s.',
  ),
  'run.until': choice(
    ['drained', 'end'],
    DEFAULT_SETTINGS.until,
    '`end` reads topics that were there before only to their present end, then completes.',
  ),
  'run.onFailure': choice(
    ['fail', 'skip', 'dead-letter'],
    DEFAULT_SETTINGS.onFailure,
    'What happens to a record on which an operator fails.',
  ),
  'run.onLostPosition': choice(
    ['fail', 'earliest', 'latest'],
    DEFAULT_SETTINGS.onLostPosition,
    'What happens where records that are yet to be read are gone: `fail` ends the run, `earliest` goes on with the ' +
      'first record that there is, `latest` with those to come. It is said each time.',
  ),
  'run.commitInterval': duration(DEFAULT_SETTINGS.commitIntervalMs, 'Time between commits.'),
  'run.idle': duration(
    DEFAULT_SETTINGS.idleMs,
    'How long an input has nothing to read before it no longer holds event time back. See time.md.',
  ),
  'run.batchSize': size(DEFAULT_SETTINGS.batchBytes, 'A batch of output is finished at this size.'),
  'run.intakeSize': size(DEFAULT_SETTINGS.intakeBytes, 'Fetched bytes that wait per input before it is paused.'),
  'run.intakeRecords': count(
    1,
    100_000_000,
    DEFAULT_SETTINGS.intakeRecords,
    'Fetched records that wait per input before it is paused, where their bytes do not pause it first.',
  ),
  'run.sliceRecords': count(
    1,
    10_000_000,
    DEFAULT_SETTINGS.sliceRecords,
    'Records that a task takes before others have their turn.',
  ),
  'run.heldSize': size(DEFAULT_SETTINGS.heldBytes, 'Output held while a commit is on its way before processing waits.'),
  'run.rack': text(
    undefined,
    'Where this process runs, such as a zone: standbys are placed in another one than their task where there is one.',
  ),
  'state.standbys': count(
    0,
    10,
    DEFAULT_SETTINGS.standbys,
    'How many other processes keep a copy of the state of each task, ready to take it over. Only on a Kafka cluster.',
  ),
  'state.acceptableLag': count(
    0,
    1_000_000_000,
    DEFAULT_SETTINGS.acceptableLag,
    'A task moves to a process whose copy of its state is at most so many changelog records behind.',
  ),
  'state.memory': size(DEFAULT_SETTINGS.stateBytes, 'Memory of rows that are held hot, over all tasks of the process.'),
  'state.writeBackInterval': duration(
    DEFAULT_SETTINGS.writeBackMs,
    'Committed rows reach the local stores on disk at least this often.',
  ),
  'state.writeBackSize': size(
    DEFAULT_SETTINGS.writeBackBytes,
    'They reach the disk earlier when this much is waiting.',
  ),
} as const satisfies Record<string, ConfigKey>;

export type ConfigName = keyof typeof CONFIG_KEYS;

export const CONFIG_NAMES = Object.keys(CONFIG_KEYS) as readonly ConfigName[];

/** `run.commitInterval` as an environment variable: `NODEFLOW_RUN_COMMIT_INTERVAL`. */
export function environmentName(key: string): string {
  return `NODEFLOW_${key
    .replaceAll('.', '_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase()}`;
}

/** What a key takes, in words. */
export function typeInWords(type: KeyType): string {
  if (type.kind === 'choice') return type.of.map((one) => `\`${one}\``).join(', ');
  if (type.kind === 'count') return `whole number from ${type.min} to ${type.max}`;
  return { text: 'text', duration: 'duration, such as `100ms`, `5s`', size: 'size, such as `64KiB`, `256MiB`' }[
    type.kind
  ];
}
