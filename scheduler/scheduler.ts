import type { Millis } from '../core/ids.ts';

/**
 * When something is due: schedules by cron in a time zone, as pure code. The caller keeps what was fired last, and asks;
 * nothing here waits, reads a clock or remembers. Cron texts are judged by `croner`.
 *
 * - Five fields, or six with seconds first; names of months and days; `@hourly`, `@daily` and the like.
 * - A local time that a change to summer time leaves out fires at the first moment behind the gap; one that comes twice
 *   fires at its first.
 * - `dueBetween` tells every time that a schedule was due in `(after, until]`, at most `limit` of them and how many there
 *   are in all; {@link CatchUp} says which of the missed ones are started after a time in which nobody could.
 */
export interface Schedule {
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string;
  /** First and last moment at which it may fire. */
  readonly from?: Millis;
  readonly until?: Millis;
}

/** What happens when the execution before has not ended. */
export type Overlap = 'allow' | 'skip' | 'queue' | 'replace';
/** Which missed times are made up for: none, the newest, or all, oldest first. */
export type CatchUp = 'none' | 'last' | 'all';

export interface Due {
  /** The time it was due at: with the schedule it names the execution, so that no time is started twice. */
  readonly at: Millis;
  /** The interval it stands for, from the time it was due before: `[from, at)`. What a backfill runs over. */
  readonly from: Millis;
}
