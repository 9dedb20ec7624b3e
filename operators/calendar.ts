import type { Millis } from '../core/ids.ts';
import type { WindowOf } from '../topology/plan.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** No zone is further from UTC. */
const FARTHEST = 26 * HOUR;
const KEPT = 4096;

/**
 * The days, weeks (from Monday on) or months of a time zone: `[start, end)` is the one that holds the time given last.
 * It begins at the first moment of its first day; where clocks are put back over midnight that is the earlier midnight,
 * and where midnight is skipped, the moment of the change. So together they hold every time once.
 *
 * The last one is remembered, and thousands before it, so that a record costs a comparison or a search, not a question
 * to the time zone database.
 */
export class Calendar {
  start: Millis = 0;
  end: Millis = 0;
  readonly #unit: WindowOf<'calendar'>['unit'];
  readonly #clock: Intl.DateTimeFormat;
  #starts: Millis[] = [];
  #ends: Millis[] = [];

  constructor({ unit, timeZone }: Pick<WindowOf<'calendar'>, 'unit' | 'timeZone'>) {
    this.#unit = unit;
    this.#clock = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  moveTo(at: Millis): void {
    if (at >= this.start && at < this.end) return;
    const place = this.#place(at);
    if (place < 0 || at >= this.#ends[place]!) this.#find(at, place + 1);
    else {
      this.start = this.#starts[place]!;
      this.end = this.#ends[place]!;
    }
  }

  /** The last remembered one that starts at or before a time, or -1. */
  #place(at: Millis): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #find(at: Millis, place: number): void {
    let day = this.#firstDay(Math.floor(this.#local(at) / DAY));
    if (at < this.#startOf(day)) day = this.#firstDay(day - 1);
    else if (at >= this.#startOf(this.#nextDay(day))) day = this.#nextDay(day);
    this.start = this.#startOf(day);
    this.end = this.#startOf(this.#nextDay(day));
    if (this.#starts.length >= KEPT) {
      this.#starts = [];
      this.#ends = [];
    }
    const at0 = Math.min(place, this.#starts.length);
    this.#starts.splice(at0, 0, this.start);
    this.#ends.splice(at0, 0, this.end);
  }

  /** The first day, since the epoch, of the unit that holds a day. */
  #firstDay(day: number): number {
    if (this.#unit === 'day') return day;
    // The epoch was a Thursday.
    if (this.#unit === 'week') return day - ((((day + 3) % 7) + 7) % 7);
    const date = new Date(day * DAY);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY;
  }

  /** The first day of the unit behind the one that begins with this day. */
  #nextDay(day: number): number {
    if (this.#unit === 'day') return day + 1;
    if (this.#unit === 'week') return day + 7;
    const date = new Date(day * DAY);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY;
  }

  /** The first moment at which the zone's clocks show this day. */
  #startOf(day: number): Millis {
    const midnight = day * DAY;
    const before = this.#offset(midnight - FARTHEST);
    const after = this.#offset(midnight + FARTHEST);
    const early = midnight - Math.max(before, after);
    const late = midnight - Math.min(before, after);
    if (this.#local(early) === midnight) return early;
    if (this.#local(late) === midnight && this.#local(late - 1) < midnight) return late;
    return this.#firstAt(midnight, early, late);
  }

  /** The first moment at which the clocks show this time or a later one. */
  #firstAt(local: Millis, from: Millis, to: Millis): Millis {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#local(middle) >= local) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #offset(at: Millis): Millis {
    return this.#local(at) - at;
  }

  /** What the clocks of the zone show, as if it were UTC. */
  #local(at: Millis): Millis {
    const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    let era = '';
    for (const { type, value } of this.#clock.formatToParts(at)) {
      if (type in parts) parts[type as keyof typeof parts] = Number(value);
      else if (type === 'era') era = value;
    }
    const year = era.startsWith('B') ? 1 - parts.year : parts.year;
    const seconds = new Date(0);
    seconds.setUTCFullYear(year, parts.month - 1, parts.day);
    seconds.setUTCHours(parts.hour, parts.minute, parts.second, 0);
    return seconds.getTime() + (((at % 1000) + 1000) % 1000);
  }
}
