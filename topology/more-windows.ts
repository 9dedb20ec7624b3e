import { type Duration, millis } from '../core/duration.ts';
import type { Assign, CloseAt, MergeWindows, PlainWindows, Windows } from './window-handles.ts';
import type { Length } from './windows.ts';

/** Windows that Kafka Streams does not have. */

export interface CountsOptions {
  /** How many records of a key a window holds. */
  readonly size: number;
  /** Every so many records of a key a window begins: at most the size, which is the default. */
  readonly every?: number;
}

export interface CumulativeOptions<D extends Duration = Duration> {
  /** From the end of one window to the end of the next. */
  readonly step: D & Length<D>;
  /** The length of the last window, a multiple of the step: then all begin anew. */
  readonly max: Duration;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface CalendarOptions {
  /** Days, weeks from Monday on, or months. */
  readonly unit: 'day' | 'week' | 'month';
  /** A name of the IANA time zone database, as `Europe/Berlin`. */
  readonly timeZone: string;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

export interface CustomOptions<V, K> {
  /** For drawings and messages. */
  readonly name: string;
  /** The windows of a record, `[start, end)` each; the same for the same record, always. */
  readonly assign: Assign<V, K>;
  /** The window that two of one key make together, or `undefined` where they stay apart. Without it all do. */
  readonly merge?: MergeWindows;
  /** The stream time from which on a window is closed; default: its end plus the grace. */
  readonly close?: CloseAt;
  /** How long a window stays open for late records; default 0. */
  readonly grace?: Duration;
}

/**
 * Windows of so many records of a key, in the order in which they come. Start and end number records from 0: the first
 * of the window, and the first behind it. A window closes with its last record; time does not matter, so none comes
 * late, and what is not full when the input ends gives no final result.
 */
export function counts(options: CountsOptions): PlainWindows<'count'> {
  return Object.freeze({ type: 'count', size: options.size, every: options.every ?? options.size });
}

/** Windows that start together, each a step longer than the one before, up to the longest; aligned to the epoch. */
export function cumulative<const D extends Duration>(options: CumulativeOptions<D>): PlainWindows<'cumulative'> {
  return Object.freeze({
    type: 'cumulative',
    stepMs: millis(options.step, 'the step of a cumulative window'),
    maxMs: millis(options.max, 'the greatest size of a cumulative window'),
    graceMs: millis(options.grace ?? 0, 'the grace of a cumulative window'),
  });
}

/** Every record falls into the day, week or month of its time in a time zone; days differ where clocks are changed. */
export function calendar(options: CalendarOptions): PlainWindows<'calendar'> {
  return Object.freeze({
    type: 'calendar',
    unit: options.unit,
    timeZone: options.timeZone,
    graceMs: millis(options.grace ?? 0, 'the grace of a calendar window'),
  });
}

/** Windows of your own making. A record is dropped as late once for each of its windows that has closed. */
export function custom<V, K>(options: CustomOptions<V, K>): Windows<V, K, 'maybe'> {
  const { name, assign, merge = null, close = null, grace = 0 } = options;
  const graceMs = millis(grace, `the grace of ${name}`);
  return Object.freeze({ type: 'custom', name, graceMs, assign, merge, close });
}
