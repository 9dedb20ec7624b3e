import type { Duration } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';
import type { WindowSpec, WindowType } from './plan.ts';

/**
 * Windows as a user says them: what `groupByKey().window(...)` takes. Functions stand in it as they are; in the plan
 * there are references to them.
 */

/**
 * Whether a record may make one window of several: then an aggregate needs to know how to merge theirs, and updates
 * delete the rows that were merged away. `maybe`: by what the windows were made with.
 */
export type Merging = 'never' | 'always' | 'maybe';

declare const takes: unique symbol;
declare const merges: unique symbol;

/** Windows for records of value V and key K. */
export interface Windows<V, K, M extends Merging> {
  readonly type: WindowType;
  /** Types only. */
  readonly [takes]?: (value: V, key: K) => void;
  readonly [merges]?: M;
}

/** Windows for records of any kind. */
export type PlainWindows<Type extends WindowType, M extends Merging = 'never'> = Extract<
  WindowSpec,
  { readonly type: Type }
> &
  Windows<unknown, unknown, M>;

/** The span of a window. What `end` means, the kind of the windows says. */
export interface WindowSpan {
  readonly start: Millis;
  readonly end: Millis;
}

export type GapOf<V, K> = (value: V, key: K) => Duration;
/** The windows of a record, `[start, end)` each. */
export type Assign<V, K> = (time: Millis, value: V, key: K) => WindowSpan | readonly WindowSpan[];
/** The window that two make together, or `undefined` where they stay apart. */
export type MergeWindows = (a: WindowSpan, b: WindowSpan) => WindowSpan | undefined;
/** The stream time from which on a window is closed. */
export type CloseAt = (window: WindowSpan) => Millis;

/** Windows before their functions have places in the plan. */
export type DeclaredWindows =
  | WindowSpec
  | { readonly type: 'session'; readonly gapMs: GapOf<never, never>; readonly graceMs: Millis }
  | {
      readonly type: 'custom';
      readonly name: string;
      readonly graceMs: Millis;
      readonly assign: Assign<never, never>;
      readonly merge: MergeWindows | null;
      readonly close: CloseAt | null;
    };
