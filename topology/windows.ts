import { type Duration, millis } from '../core/duration.ts';
import type { GapOf, PlainWindows, Windows } from './window-handles.ts';

/**
 * Windows as Kafka Streams has them. Tumbling and hopping: `[start, end)`, aligned to the epoch, none with a negative
 * start. A window is open while `end > stream time - grace`; a record is dropped as late once for each of its windows
 * that has closed, and goes to the others.
 */
/** A length; the compiler refuses one that it sees to be nothing, and `build()` any other. */
export type Length<D extends Duration> = D extends 0 | Nothing ? 'a window of size zero holds no record' : D;

interface Nothing {
  readonly days?: 0;
  readonly hours?: 0;
  readonly minutes?: 0;
  readonly seconds?: 0;
  readonly ms?: 0;
}

export interface TumblingOptions {
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface HoppingOptions<A extends Duration = Duration> {
  /** From the start of one window to the start of the next: at most the size. */
  readonly advance: A & Length<A>;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface SlidingOptions<D extends Duration = Duration> {
  /** The longest time between two records of a window. */
  readonly difference: D & Length<D>;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface SessionOptions<V, K> {
  /** The longest time without a record within a session; 0: only records of one time share a session. */
  readonly gap: Duration | GapOf<V, K>;
  /** How long a session stays open for late records beyond the gap; default 0. */
  readonly grace?: Duration;
}

export interface UnlimitedOptions {
  /** Where the window starts; records before it are passed over. Default 0. */
  readonly start?: Duration;
}

/** Every record falls into one window of this size. */
export function tumbling<const D extends Duration>(
  size: D & Length<D>,
  options: TumblingOptions = {},
): PlainWindows<'tumbling'> {
  return Object.freeze({
    type: 'tumbling',
    sizeMs: millis(size, 'the size of a tumbling window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a tumbling window'),
  });
}

/** Windows of this size, one starting every `advance`: a record falls into size / advance of them. */
export function hopping<const D extends Duration, const A extends Duration>(
  size: D & Length<D>,
  options: HoppingOptions<A>,
): PlainWindows<'hopping'> {
  return Object.freeze({
    type: 'hopping',
    sizeMs: millis(size, 'the size of a hopping window'),
    advanceMs: millis(options.advance, 'the advance of a hopping window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a hopping window'),
  });
}

/**
 * Windows `[start, start + difference]`, both ends inclusive, one for each set of records of a key that lie no further
 * apart than the difference. Records before the first difference share `[0, difference]`. A window is open while
 * `end >= stream time - grace`. Null values are dropped.
 */
export function sliding<const D extends Duration>(options: SlidingOptions<D>): PlainWindows<'sliding'> {
  return Object.freeze({
    type: 'sliding',
    differenceMs: millis(options.difference, 'the difference of a sliding window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a sliding window'),
  });
}

/**
 * Windows `[first, last]` of the records of a key that follow each other within the gap; one record may join several
 * sessions. A session is open while `last >= stream time - gap - grace`.
 *
 * With a gap that is told of each record, a session reaches from its first record to the latest `time + gap` of its
 * records, both inclusive, and those are its start and end; records join it that fall into it, or it into theirs.
 */
export function session<V, K>(options: SessionOptions<V, K>): Windows<V, K, 'always'> {
  const { gap, grace = 0 } = options;
  const windows = {
    type: 'session' as const,
    gapMs: typeof gap === 'function' ? gap : millis(gap, 'the gap of a session'),
    graceMs: millis(grace, 'the grace of a session'),
  };
  return Object.freeze(windows);
}

/** One window that starts and never ends. */
export function unlimited(options: UnlimitedOptions = {}): PlainWindows<'unlimited'> {
  return Object.freeze({
    type: 'unlimited',
    startMs: millis(options.start ?? 0, 'the start of an unlimited window'),
  });
}
