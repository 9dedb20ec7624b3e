import type { Millis } from '../core/ids.ts';

/**
 * When something is due: schedules by cron in a time zone, as pure code. The caller keeps what was fired last, and asks;
 * nothing here waits, reads a clock or remembers. Cron texts are judged by `croner`.
 *
 * - Five fields, or six with seconds first; names of months and days; `@hourly`, `@daily` and the like.
 * - A local time that a change to summer time leaves out fires at the first moment behind the gap; one that comes twice
 *   fires at its first. A schedule by the hour or the minute fires in the hour that comes twice both times.
 */
export interface Schedule {
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string;
  /** First and last moment at which it may fire, both included. */
  readonly from?: Millis;
  readonly until?: Millis;
}

/** What happens when the execution before has not ended: see {@link overlapping}. */
export type Overlap = 'allow' | 'skip' | 'queue' | 'replace';
/** Which missed times are made up for: none, the newest, or all, oldest first. */
export type CatchUp = 'none' | 'last' | 'all';

export interface Due {
  /** The time it was due at: with the schedule it names the execution, so that no time is started twice. */
  readonly at: Millis;
  /** The interval it stands for begins at the time it was due before: `[from, at)`. What a backfill runs over. */
  readonly from: Millis;
}

export interface Missed {
  /** What is to be started, oldest first. */
  readonly start: readonly Due[];
  /** How many more of `[start]` there are behind the limit: ask again, from the last one on. */
  readonly more: boolean;
  /** How many times were due and are left out by the policy; counted up to {@link MOST_AT_ONCE}. */
  readonly leftOut: number;
}

/** A running execution and one that is due: start the new one, leave it out, keep it until the other has ended, or cancel the other first. */
export type Overlapping = 'start' | 'skip' | 'queue' | 'cancel-then-start';

export interface ScheduleFault {
  readonly message: string;
  readonly cure: string;
}

/** At most so many times are told at once. */
export const MOST_AT_ONCE = 1000;

export { backfill, dueAfter, missed, overlapping, scheduleFaults } from './schedule.ts';
