/**
 * The rules of the house, as data; `check.ts` holds the tree against them and ARCHITECTURE.md tells them in
 * words. Whoever adds a door or a package adds a row here, with the reason.
 */

/** Rooms by storey, the ground first. A room may import rooms of lower storeys only. */
export const STOREYS: readonly (readonly string[])[] = [
  ['core'],
  ['schemas', 'log', 'state', 'telemetry', 'expressions', 'database'],
  ['topology', 'operators', 'connectors', 'checkpoints', 'registry', 'events', 'projections'],
  ['runtime'],
  ['scheduler', 'workflows'],
  ['gateway', 'cli'],
];

/** Arrows allowed inside a storey. */
export const ARROWS: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'operators', to: 'topology' },
  { from: 'connectors', to: 'topology' },
  { from: 'projections', to: 'events' },
  { from: 'workflows', to: 'scheduler' },
  { from: 'cli', to: 'gateway' },
];

/** Files besides `<room>/<room>.ts` that other rooms may import. */
export const SECOND_DOORS: readonly { readonly file: string; readonly reason: string }[] = [
  { file: 'log/batch.ts', reason: 'the batch codec, for whoever reads or writes records' },
  { file: 'connectors/export.ts', reason: 'the way out, beside the way in' },
  { file: 'topology/plan.ts', reason: 'the plan as data, for machines' },
  { file: 'runtime/testing.ts', reason: 'the test driver, which brings the memory log' },
  { file: 'workflows/document.ts', reason: 'the document as data, for machines' },
  { file: 'workflows/catalog.ts', reason: 'types of nodes as data, for machines and for users who add some' },
];

/** Rooms of which every file is a door. */
export const OPEN_ROOMS: readonly string[] = ['core'];

/** Files that put the rooms together, and so may import anything; no room may import them but their own. */
export const COMPOSITION_POINTS: readonly string[] = ['index.ts', 'testing.ts', 'workflows.ts', 'cli/wire.ts'];

/** Folders outside the rooms. What a yard folder may import is said by `may`. */
export const YARD: readonly { readonly folder: string; readonly may: 'anything' | 'package root' }[] = [
  { folder: 'integration-tests', may: 'anything' },
  { folder: 'bench', may: 'anything' },
  { folder: 'examples', may: 'package root' },
  { folder: 'docs', may: 'anything' },
  { folder: 'bin', may: 'anything' },
];

/** Where each third-party package may be imported: path prefixes; `tests` stands for every test file. */
export const HOMES: { readonly [name: string]: readonly string[] } = {
  acorn: ['expressions/'],
  re2js: ['expressions/'],
  '@marcbachmann/cel-js': ['tests'],
  avsc: ['schemas/'],
  pino: ['telemetry/'],
  'rocksdb-native': ['state/rocksdb/'],
  hyparquet: ['connectors/files/'],
  croner: ['scheduler/'],
  fastify: ['gateway/'],
  '@fastify/swagger': ['gateway/'],
  '@fastify/websocket': ['gateway/'],
  ws: ['tests'],
  ajv: ['workflows/', 'gateway/testing/'],
  '@electric-sql/pglite': ['database/'],
  pg: ['database/'],
  '@node-rs/crc32': ['log/'],
  'lz4-napi': ['log/'],
  'lz4-wasm-nodejs': ['log/'],
  snappy: ['log/'],
  '@platformatic/kafka': ['log/kafka/', 'bench/kafka/'],
  // for those who choose them
  kafkajs: ['log/kafkajs/'],
  '@confluentinc/kafka-javascript': ['log/confluent/'],
  'fast-check': ['tests'],
  'vega-datasets': ['examples/'],
  // of other workflow engines, which have a package of their own
  '@restatedev/restate-sdk': ['bench/peers/workflows/'],
  '@restatedev/restate-sdk-clients': ['bench/peers/workflows/'],
  bullmq: ['bench/peers/workflows/'],
  '@dbos-inc/dbos-sdk': ['bench/peers/workflows/'],
  '@temporalio/client': ['bench/peers/workflows/'],
  '@temporalio/worker': ['bench/peers/workflows/'],
  '@temporalio/workflow': ['bench/peers/workflows/'],
};

/** Packages that tests and benchmarks may import wherever they stand. */
export const FREE_IN_TESTS: readonly string[] = [
  '@marcbachmann/cel-js',
  'avsc',
  'hyparquet',
  'fast-check',
  'vega-datasets',
  'ws',
];

export const MAX_FILE_LINES = 400;

/** The files that may read the wall clock, set timers or draw randomness. */
export const TIME_AND_CHANCE: readonly string[] = ['core/clock.ts', 'core/random.ts', 'bin/launch.mjs'];

/** Where `any` may stand: the types of the DSL, which infer through it. */
export const ANY_ALLOWED: readonly string[] = ['topology/'];

/** Rooms whose code is synchronous throughout. */
export const SYNCHRONOUS_ROOMS: readonly string[] = ['operators'];

/** Files that import a module whose name is known only when they run. */
export const COMPUTED_IMPORTS: readonly { readonly file: string; readonly reason: string }[] = [
  { file: 'runtime/load.ts', reason: "the user's topology module" },
  { file: 'cli/load-workflows.ts', reason: "the user's module of functions and tasks" },
  { file: 'runtime/thread-host.ts', reason: 'its own worker file, which ends in .js once built' },
  { file: 'bin/launch.mjs', reason: 'the script it was asked to run' },
  { file: 'cli/commands/version.ts', reason: 'package.json, which stands one folder higher once built' },
];
