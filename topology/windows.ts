import { type Duration, millis } from '../core/duration.ts';
import type { WindowSpec } from './plan.ts';

/**
 * Windows `[start, end)` aligned to the epoch, none with a negative start. A window is open while
 * `end > stream time - grace`; a record whose windows have all closed is dropped and counted as late.
 */
export interface TumblingOptions {
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface HoppingOptions {
  /** From the start of one window to the start of the next: at most the size. */
  readonly advance: Duration;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

/** Every record falls into one window of this size. */
export function tumbling(size: Duration, options: TumblingOptions = {}): WindowSpec {
  return Object.freeze({
    type: 'tumbling',
    sizeMs: millis(size, 'the size of a tumbling window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a tumbling window'),
  });
}

/** Windows of this size, one starting every `advance`: a record falls into size / advance of them. */
export function hopping(size: Duration, options: HoppingOptions): WindowSpec {
  return Object.freeze({
    type: 'hopping',
    sizeMs: millis(size, 'the size of a hopping window'),
    advanceMs: millis(options.advance, 'the advance of a hopping window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a hopping window'),
  });
}
