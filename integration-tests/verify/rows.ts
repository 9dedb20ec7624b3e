import type { Trial } from './trial.ts';
import type { World } from './world.ts';

/** Failpoints that are reached once in the life of a process. */
export const ONCE: readonly string[] = ['producer.opening', 'restore.table'];

/** A row of the fault matrix: what is done to the job, and what must have happened for it to count. */
export interface Row {
  /** The number in the matrix, with a letter where a row has several. */
  readonly id: string;
  readonly title: string;
  readonly worlds: readonly World['kind'][];
  /** Default 1. */
  readonly brokers?: 3;
  /** On brokers that speak transactions as those of before Kafka 4.0 did. */
  readonly protocol?: 'old';
  /** Part of the short run. */
  readonly short?: number;
  /** Repeats of the fault in the whole run. */
  readonly repeats: number;
  /** Processes may end by themselves with such a message; they are started again. */
  readonly mayFail?: RegExp;
  /** Counters that must be above zero on a log that others can see. Default: faults. */
  readonly needs?: readonly (keyof Counters)[];
  readonly run: (trial: Trial, repeats: number) => Promise<void>;
}

/** What shows that a run was not idle. */
export interface Counters {
  readonly faults: number;
  /** Processes that were started. */
  readonly processes: number;
  /** Processes that ended by themselves with an error. */
  readonly failures: number;
  /** Epochs that were done again within a process. */
  readonly rebuilds: number;
  /** Records read back into stores. */
  readonly restored: number;
  /** Records in the outputs that no committed reader sees. */
  readonly aborted: number;
  /** Refusals of an older owner that processes told of. */
  readonly fenced: number;
  /** Requests to brokers that processes asked again. */
  readonly retries: number;
  /** Requests to join a group that the proxy has seen. */
  readonly joins: number;
}

export const COUNTERS: readonly (keyof Counters)[] = [
  'faults',
  'processes',
  'failures',
  'rebuilds',
  'restored',
  'aborted',
  'fenced',
  'retries',
  'joins',
];
