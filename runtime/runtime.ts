import type { Guarantee } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';
import type { Compression } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { SchemaRegistry } from '../schemas/schemas.ts';
import type { StateBackend } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { FailurePolicy } from '../topology/plan.ts';
import type { Program, Renames } from '../topology/topology.ts';
import type { RegistryAddress } from './open-registry.ts';
import type { Query } from './query.ts';
import type { RestoreFigures } from './restores.ts';

/**
 * Runs plans.
 *
 * - A *stage* of the plan times its partitions gives *tasks*: each owns its inputs, its operators and its state,
 *   and touches nothing of another task (`task.ts`, the hot path; one record at a time, depth-first).
 * - A *worker* is one event loop with some tasks, one reader and one producer (`worker.ts`): it feeds the tasks'
 *   bounded inputs, lets them run, and commits all of them together: in one transaction, or at least once.
 * - An epoch that fails for a reason that passes is done again by all tasks that had a part in it. A task that makes
 *   epochs fail again and again is found, since each then has its turn alone (`turns.ts`), and is set apart: it commits
 *   by a worker and a producer of its own beside, and comes back when that has gone well (`quarantine.ts`).
 * - The *supervisor* (`supervisor.ts`) checks and makes topics, joins the group, splits the assignment over the
 *   workers, and knows when a bounded run is complete; a *watchdog* (`watchdog.ts`) judges whether they go on. With
 *   one worker everything lives in one thread; with more, each runs in a thread of its own that imports the same
 *   module, and the supervisor's thread owns the log.
 * - The processes of an application share its tasks as members of one group (`membership.ts`). Each tells what state it
 *   holds; the assignor (`assign.ts`) of one of them says who runs what, and who keeps a *standby* of what: a copy of
 *   the state that follows the changelogs on its own disk (`standby-set.ts`), beside the tasks of a worker, and that
 *   writes nothing. A task with stores moves to a process whose copy has caught up; one that is to have a task and has
 *   no copy yet holds a *warm-up*, and asks for the task when that has caught up.
 *
 * A plan whose every source ends (bounded connectors, topics written by the plan itself) is a bounded run: when
 * all inputs of a task have ended its windows flush, its last commit says so, and when all tasks have ended the
 * run is complete. Other plans run until drained; with `until: 'end'` the topics that were there before are
 * read up to where they ended when the run began. A run of one kind goes on behind one of the other, when no process is
 * at that any more.
 *
 * A run that was killed continues from its last commit when started again under the same name.
 */
export interface RunOptions {
  readonly program: Program;
  readonly log: Log;
  readonly state: StateBackend;
  /** The folder of the local stores, or `undefined` for memory alone. */
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: RunSettings;
  /** Where the schemas of registered serdes are kept; a plan without such needs none. */
  readonly registry?: RunRegistry | undefined;
  /** With more than one worker: where worker threads find the topology. */
  readonly module?: ModuleRef | undefined;
  /**
   * What a bounded run does that finds the last one complete. True: it forgets all of that, its outputs too, and does
   * the work anew. Default: it goes on from there.
   */
  readonly anew?: boolean | undefined;
  /** Stores that have other names than in the plan that ran before, new ones by old ones; see docs/evolution.md. */
  readonly renames?: Renames | undefined;
}

/** A schema registry, and how another thread reaches it. */
export interface RunRegistry {
  readonly client: SchemaRegistry;
  readonly address: RegistryAddress;
}

/** A module and the name of its export that holds the topology. */
export interface ModuleRef {
  readonly url: string;
  readonly name: string;
}

export interface RunSettings {
  /** What a crash may do to results: see docs/guarantees.md. Default `exactly-once`. */
  readonly guarantee: Guarantee;
  /** What the run is for; it stands in the ids of its transactions. Default `data`. */
  readonly plane: 'data' | 'control';
  /** Worker threads. Default 1: everything in the calling thread. */
  readonly workers: number;
  /**
   * Makes the process a static member of its group: started again under the same id before its session is over, it
   * takes up its tasks and its stores where it left them, and no other process is assigned anew. Every process has one
   * of its own; of two with the same id the newer goes on, and the older ends with `log.fenced`; in one data folder the
   * newer is refused with `log.locked`. Default: none.
   */
  readonly instanceId: string | undefined;
  /** A process that is not heard of for longer loses its tasks. Default 6 s, with an instance id 45 s. */
  readonly sessionTimeoutMs: Millis | undefined;
  /** Time between commits. Default 100 ms. */
  readonly commitIntervalMs: Millis;
  /** How long an input has nothing to read before it no longer holds event time back. Default 1 s. */
  readonly idleMs: Millis;
  /** What happens to a record on which an operator fails. Default `fail`. */
  readonly onFailure: FailurePolicy;
  /**
   * What happens where records that the application has yet to read are gone, deleted by retention or by somebody, or
   * its position lies behind the end: it ends with `log.range`, or says so and goes on with the first record that there
   * is, or with those to come. Default `fail`.
   */
  readonly onLostPosition: 'fail' | 'earliest' | 'latest';
  /**
   * The topic of records that are given up, which applications may share; each tells by a header whose it is. One that is
   * named `nf.<anything>.dead-letters` is found by whoever lists and redrives them. Default:
   * `nf.<application>.dead-letters`, which goes with the application.
   */
  readonly deadLetters: string | undefined;
  /** What each of them says besides, for whoever runs the application as a part of something larger. */
  readonly letterWords: LetterWords;
  /**
   * How many records went into each node, and were dropped there, is kept with the progress of its task, and told by the
   * metrics as of what is committed: over crashes, moves and upgrades, and with nothing counted twice. What a run that was
   * here before has counted, {@link committedCounts} tells. Default false: metrics count what the process has done.
   */
  readonly keepCounts: boolean;
  /** `end`: read topics that were there before only to their present end. Default `drained`. */
  readonly until: 'drained' | 'end';
  /** A batch of output is finished at this size. Default 256 KiB. */
  readonly batchBytes: number;
  /** How batches of output and of changelogs are compressed. Default `none`. */
  readonly compression: Compression;
  /** Fetched bytes that wait per input before it is paused. Default 4 MiB. */
  readonly intakeBytes: number;
  /** ... or fetched records, whichever comes first. Default 65536. */
  readonly intakeRecords: number;
  /** Records a task takes before the worker looks at everything else. Default 16384. */
  readonly sliceRecords: number;
  /** Output held while a commit is on its way before processing waits. Default 32 MiB. */
  readonly heldBytes: number;
  /** How many other processes keep a copy of each task's state, ready to take the task over. Default 0. */
  readonly standbys: number;
  /** A task moves to a process whose state is at most so many changelog records behind. Default 10000. */
  readonly acceptableLag: number;
  /** Where this process runs; standbys are placed in another rack than their task where there is one. */
  readonly rack: string | undefined;
  /** Memory of hot rows, over all tasks of the process. Default 256 MiB. */
  readonly stateBytes: number;
  /** Committed rows reach the disk at least this often. Default 5 s. */
  readonly writeBackMs: Millis;
  /** ... or when this much is waiting. Default 32 MiB. */
  readonly writeBackBytes: number;
}

export interface LetterWords {
  /** Headers, by their names without `nf.`. */
  readonly told: { readonly [name: string]: string };
  /** Whose a node of the plan is, by its id: told as `nf.owner`. */
  readonly owners: { readonly [node: string]: string };
}

export const DEFAULT_SETTINGS: RunSettings = {
  guarantee: 'exactly-once',
  plane: 'data',
  workers: 1,
  instanceId: undefined,
  sessionTimeoutMs: undefined,
  commitIntervalMs: 100,
  idleMs: 1000,
  onFailure: 'fail',
  onLostPosition: 'fail',
  deadLetters: undefined,
  letterWords: { told: {}, owners: {} },
  keepCounts: false,
  until: 'drained',
  batchBytes: 256 * 1024,
  compression: 'none',
  intakeBytes: 2 * 1024 * 1024,
  intakeRecords: 65_536,
  sliceRecords: 16_384,
  heldBytes: 32 * 1024 * 1024,
  standbys: 0,
  acceptableLag: 10_000,
  rack: undefined,
  stateBytes: 256 * 1024 * 1024,
  writeBackMs: 5000,
  writeBackBytes: 32 * 1024 * 1024,
};

/** A running application. */
export interface Run {
  /** Resolves when a bounded run is complete or the run was drained; rejects with the error that ended it. */
  readonly finished: Promise<Outcome>;
  /** Finishes the epoch in hand, commits, leaves the group, closes stores. The run can be continued later. */
  drain(): Promise<void>;
  /** It goes on with a bounded run that was cut short, or that another process has begun. */
  readonly continued: boolean;
  /** Figures of the moment, for progress. */
  progress(): Progress;
  /** Reads its stores while it runs; see docs/queries.md. */
  readonly query: Query;
  /** Whether it runs as it should, for whoever watches the process. */
  health(): Health;
}

export interface Health {
  /** All tasks of this process are restored and running, and nothing keeps them from it. */
  readonly ready: boolean;
  /**
   * What keeps it from going on, and may pass by itself: the log does not answer, a worker thread is blocked, or
   * records wait for a schema of a registry that does not answer. To start the process anew would not help.
   */
  readonly degraded: string | undefined;
  /** Why it will not go on by itself: a worker's loop has stood still for 10 s and a commit interval. */
  readonly ill: string | undefined;
}

export interface Outcome {
  /** `complete`: every input has ended and all results are committed. */
  readonly how: 'complete' | 'drained';
  readonly records: number;
}

export interface Progress {
  /** Records taken by all tasks since the start of this process. */
  readonly records: number;
  /** Records taken by each worker, for the balance between them. */
  readonly recordsByWorker: readonly number[];
  /** Records known to be waiting in front of the tasks. */
  readonly lag: number;
  /** The smallest event time among the running tasks, or `undefined` before any record. */
  readonly streamTime: Millis | undefined;
  readonly tasks: number;
  readonly tasksEnded: number;
  /** Those of this process that commit alone, since they have failed again and again; see docs/guarantees.md. */
  readonly quarantined: readonly string[];
  /** 0 to 1, where the size of all inputs is known. */
  readonly share: number | undefined;
  /** State that is being brought back; `undefined` while there is none. */
  readonly restore: RestoreProgress | undefined;
  /** Standbys that this process holds, and how many changelog records they are behind. */
  readonly standbys: { readonly tasks: number; readonly lag: number };
  /** As `health()` says it. */
  readonly degraded: string | undefined;
}

/** Restores of this process that go on. Records of changelogs are counted by their positions, which may have gaps. */
export interface RestoreProgress extends RestoreFigures {
  /** An estimate; `undefined` while there is no rate to go by. */
  readonly leftMs: Millis | undefined;
}

export { Backwards } from './backwards.ts';
export { type BindTopicOptions, bindProgram, bindSerdes, bindTopic, inspectSchemas } from './bind-schemas.ts';
export { COUNTED_METRICS, committedCounts } from './committed-counts.ts';
export { eachRecord, holdsRecords } from './each-record.ts';
export { type FoundDiff, inspectPlanDiff, storedPlan } from './evolve.ts';
export { type ApplicationFindings, inspectApplication } from './inspect.ts';
export { pageOf } from './letter-pages.ts';
export { letterBytes, readLetterId, redriveHeaders } from './letter-record.ts';
export type {
  Below,
  LetterPage,
  LetterRecord,
  Place,
  RecordChange,
  RecordLetter,
  RecordLetterQuery,
  RecordLetters,
  RedriveMark,
  Redriven,
  RedriveOptions,
  RedriveOutcome,
  RedriveTarget,
} from './letters.ts';
export { loadProgram } from './load.ts';
export { METRICS, type MetricName, type MetricSpec } from './metric-table.ts';
export { MetricSet } from './metrics.ts';
export { openRecordLetters, outcomeOf, unknownLetter } from './open-letters.ts';
export { openRegistryAt, type RegistryAddress } from './open-registry.ts';
export { forgetOrphans, inspectOrphans, type Orphan } from './orphans.ts';
export type { Query, RangeOptions, ReadOptions, StoreQuery, TimesOptions, WindowRow } from './query.ts';
export { type ReadAt, readTopic } from './read-topic.ts';
export { RecordError } from './record-error.ts';
export { REDRIVES_SETTINGS, REDRIVES_TOPIC, type StoredMark } from './redrive-marks.ts';
export { forgetApplication, internalTopics, outputsOf, resetApplication } from './reset.ts';
export type { RestoreFigures } from './restores.ts';
export { withSchemas, withStoredSchemas } from './schema-faults.ts';
export { deadLetterTopic } from './stage.ts';
export { startRun } from './supervisor.ts';
export { TopologyDriver } from './testing.ts';
