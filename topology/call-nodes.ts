import type { Millis } from '../core/ids.ts';
import type { CodeRef } from './plan.ts';

/** Nodes that call functions which take time. The store holds the records whose results have not left. */
export type CallNode =
  /** Each record with what a function answers in its time. */
  | { readonly kind: 'mapAsync'; readonly fn: CodeRef; readonly calls: CallSettings; readonly store: string }
  /** Each record with the row that a function answers for its key in its time. */
  | {
      readonly kind: 'lookup';
      readonly how: 'inner' | 'left';
      readonly fn: CodeRef;
      readonly merge: CodeRef;
      readonly calls: CallSettings;
      readonly cache: CacheSettings;
      readonly store: string;
    };

/** How calls of a function that takes time are made. */
export interface CallSettings {
  /** Records of a task of which a call may be on its way or whose result may wait for its turn. */
  readonly concurrency: number;
  /** In which order results leave: as the records of a key came, as all records of the task came, or as they come. */
  readonly order: CallOrder;
  /** How long one attempt may take. */
  readonly timeoutMs: Millis;
  /** How often a call is made at most. */
  readonly attempts: number;
  /** The pause before the second attempt; it doubles with each further one. */
  readonly backoffMs: Millis;
  readonly maxBackoffMs: Millis;
  /** When the first attempt begins; not there: when the record is taken. */
  readonly begin?: CallBegin;
}

export type CallBegin = 'taken' | 'committed';
export type CallOrder = 'key' | 'partition' | 'none';

export interface CacheSettings {
  readonly maxEntries: number;
  readonly ttlMs: Millis;
  /** Of the answer that there is no row; 0: it is not kept. */
  readonly negativeTtlMs: Millis;
}
