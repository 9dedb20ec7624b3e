import type { Millis } from '../core/ids.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How many parts a retention is cut into, by its length; parts are not shorter than the second number. */
const PARTS: readonly (readonly [upTo: Millis, parts: number, least: Millis])[] = [
  [MINUTE, 3, 2 * SECOND],
  [5 * MINUTE, 5, 20 * SECOND],
  [HOUR, 12, MINUTE],
  [Number.POSITIVE_INFINITY, 24, 5 * MINUTE],
];

/**
 * Panes for rows that are kept for some time: each takes the rows of a span, and is dropped when the last of them is
 * past its retention. What is read is cut exactly, so the span only says how soon memory is given back. A pane is
 * named by the end of its span, exclusive.
 */
export class TimePanes {
  readonly spanMs: Millis;

  constructor(retentionMs: Millis) {
    const [, parts, least] = PARTS.find(([upTo]) => retentionMs <= upTo)!;
    this.spanMs = Math.max(Math.ceil(retentionMs / parts), least);
  }

  /** The pane of rows with this time. */
  of(time: Millis): Millis {
    return time - (time % this.spanMs) + this.spanMs;
  }
}
