import type { Clock } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Millis, Position } from '../core/ids.ts';
import type { HeaderPair, PlainRecord } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { Backwards } from './backwards.ts';

/**
 * Dead letters of records: what an application has given up by its policy `dead-letter`, as it was read, in a topic of
 * its own (`nf.<application>.dead-letters`) or of many (`nf.segments.dead-letters`). They are looked at, and *redriven*:
 * sent to where they were read from, so that they go through the plan again.
 *
 * - The id of a letter is its topic and its position there: `nf.orders.dead-letters:17`.
 * - A letter has key, value and headers as they came, and behind those headers what tells of it: why and by which code,
 *   where it was read, when it was given up (letters of old do not say that, and have no headers of the record: theirs is
 *   its time). Headers that hold secrets are left out, and named. Of those, and where a result of a call was given up and
 *   key and value are those that the node had, a redrive takes what was read from where it was read, as long as it is
 *   there.
 * - A redrive is *one transaction of the log*: the record, and a mark in `nf.redrives` that tells when, by whom and where
 *   to. So both are there, or none, whatever crashes in between; and since the transactional id is that of the topic of
 *   the letters, whoever begins fences who was at it, and reads the marks anew behind that. Redriven twice, at once or one
 *   after another, by one process or several, is as redriven once. `again` says that it is wanted once more: then twice
 *   under one `id` is as once.
 * - The record keeps key, value, timestamp and headers, or has those that it is given instead. It goes to the partition
 *   that it was read from; with another key to the partition of that key. Two headers tell of it: `nf.redriven` has the
 *   letter's id, `nf.redrives` how often this record has been redriven. When it fails again the new letter has them too,
 *   so a record that fails again and again is told by its count. Whoever else reads that topic sees the record once more.
 *   It keeps its time, so to a window that has closed it is late; give it another `timestamp` where that matters.
 * - A process that is killed in the middle leaves its transaction open: readers of the partitions that it wrote to wait
 *   until that times out, after ten seconds, or until somebody redrives a letter of that topic again.
 * - Marks stay when an application is forgotten, and count for nothing then: they name the topic as it was made.
 */
export interface RecordLetters {
  /** Newest first, over all topics of dead letters, or those of one application. Reads what is committed; waits for nothing. */
  list(query: RecordLetterQuery): Promise<LetterPage<RecordLetter>>;
  /** Throws `dead-letter.unknown`. */
  show(id: string): Promise<RecordLetter>;
  /** Fails with `dead-letter.not-redrivable` where it cannot go back to where it came from; the message has the cure. */
  redrive(id: string, options?: RedriveOptions): Promise<Redriven>;
  /** What a redrive of each would do; nothing is sent. */
  preview(letters: readonly RecordLetter[], options?: RedriveOptions): Promise<readonly RedriveOutcome[]>;
  /**
   * For whoever lists these among other letters: partitions of all topics, or of those that hold letters of an application,
   * each from below a position. Reads the marks anew.
   */
  partitions(query: Pick<RecordLetterQuery, 'application'>, below: Below): Promise<readonly Backwards<RecordLetter>[]>;
  /** Reads the marks; answers those of letters that are none of these, and have ids of their own. */
  marks(): Promise<(id: string) => RedriveMark | null>;
  /** Many of one topic after another in as few transactions as may be; answers in the order of the letters. */
  redriveAll(letters: readonly RecordLetter[], options?: RedriveOptions): Promise<readonly RedriveOutcome[]>;
}

export interface RecordLetterQuery {
  readonly application?: string;
  readonly since?: Millis;
  readonly until?: Millis;
  readonly redriven?: boolean;
  /** What else is to hold. */
  readonly where?: (letter: RecordLetter) => boolean;
  /** Default 50, at most 500. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** It may have fewer rows than were asked for, or none, though there are more: `next` says so. */
export interface LetterPage<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

export interface RecordLetter {
  readonly id: string;
  readonly application: string;
  readonly task: string;
  /** Of the plan. */
  readonly node: string;
  /** When it was given up. */
  readonly at: Millis;
  /** `failed`, `undecodable`, or what is wrong with its time. */
  readonly reason: string;
  /** Of the error; of letters of old null. */
  readonly code: string | null;
  readonly message: string;
  /** Where it was read; null where that was not told. */
  readonly from: Place | null;
  /** Key and value are those that the node had, not those of the record at `from`. */
  readonly ofNode: boolean;
  readonly record: LetterRecord;
  /** Names of headers that were left out, since they hold secrets. */
  readonly hidden: readonly string[];
  /** What else tells of it, by names without `nf.`: of segments `execution`, `workflow`, `owner`, `segment`, `iteration`. */
  readonly told: { readonly [name: string]: string };
  /** How often this record had been redriven before it was given up. */
  readonly redrives: number;
  readonly redriven: RedriveMark | null;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position;
}

export type LetterRecord = PlainRecord;

/** What is sent in place of what was given up; what is left out stays as it is. */
export interface RecordChange {
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly timestamp?: Millis;
  /** All of them; names that begin with `nf.` are the engine's. */
  readonly headers?: readonly HeaderPair[];
}

export interface RedriveOptions {
  readonly by?: string;
  readonly change?: RecordChange;
  /** Also where it was redriven before. */
  readonly again?: boolean;
  /** With `again`: twice under one id is once. Default: made. */
  readonly id?: string;
}

/** The last time that a letter was redriven. */
export interface RedriveMark {
  readonly at: Millis;
  readonly by: string | null;
  /** Where to; null for what was no record. */
  readonly to: Place | null;
  /** How often in all. */
  readonly times: number;
}

export interface Redriven extends RedriveMark {
  readonly id: string;
  /** It had been redriven before, and nothing was sent now. */
  readonly existing: boolean;
}

/** Of many: what became of one. */
export type RedriveOutcome =
  | ({ readonly outcome: 'redriven' | 'existing' } & Omit<Redriven, 'existing'>)
  /** Of a preview. */
  | { readonly outcome: 'ready'; readonly id: string; readonly to: Omit<Place, 'position'> | null }
  | { readonly outcome: 'refused'; readonly id: string; readonly code: ErrorCode; readonly why: string };

/** Where a letter goes, and what is sent. */
export interface RedriveTarget {
  readonly topic: string;
  readonly partition: number;
  readonly record: LetterRecord;
}

/** The position before which a partition is read on; undefined: from its end. */
export type Below = (topic: string, partition: number) => Position | undefined;

export interface RecordLettersParts {
  readonly log: Log;
  readonly clock: Clock;
  /** Of letters that go elsewhere than to where they were read; undefined for all others. Throws what refuses it. */
  readonly target?: (letter: RecordLetter, change: RecordChange) => Promise<RedriveTarget | undefined>;
}
