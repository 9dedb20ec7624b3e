import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched, LogAdmin, LogReader } from '../log.ts';
import type { Declaration, Row } from './declarations.ts';
import { type Directory, type LanePlace, placeOf } from './directory.ts';
import { type Reading, split } from './split.ts';

export interface LaneReaderParts {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly admin: LogAdmin;
}

/** A partition that the reader was given. */
interface Assigned extends Reading {
  /** Of a logical topic, once it was looked up. */
  row: Row | undefined;
  /** It is not known yet whether it is of a logical topic. */
  unknown: boolean;
}

/** A partition below that logical ones are read from, all at one position: the least that one of them stands at. */
interface Cursor {
  readonly place: TopicPartition;
  readonly readings: Set<Assigned>;
  /** Where the next fetch below begins; `undefined` while nobody wants one. */
  position: Position | undefined;
}

export class LaneReader implements LogReader {
  readonly #parts: LaneReaderParts;
  readonly #below: LogReader;
  readonly #onClose: () => void;
  readonly #assigned = new Map<string, Assigned>();
  readonly #cursors = new Map<string, Cursor>();
  #unknown: Assigned[] = [];
  #moved = false;
  #fetching = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(parts: LaneReaderParts, below: LogReader, onClose: () => void) {
    this.#parts = parts;
    this.#below = below;
    this.#onClose = onClose;
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of partitions) {
      const name = partitionName(topic, partition);
      const before = this.#assigned.get(name);
      if (before !== undefined) this.#drop(before);
      const assigned: Assigned = {
        ...{ topic, partition, position, paused: before?.paused ?? false },
        ...{ place: undefined, tag: '', row: undefined, unknown: false },
      };
      this.#assigned.set(name, assigned);
      const known = this.#parts.directory.known(topic);
      if (known === null) this.#passThrough(assigned);
      else {
        assigned.unknown = true;
        this.#unknown.push(assigned);
      }
    }
    this.#moved = true;
    this.#wake?.();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition);
      const assigned = this.#assigned.get(name);
      if (assigned === undefined) continue;
      this.#assigned.delete(name);
      this.#drop(assigned);
      if (assigned.row === undefined && !assigned.unknown) this.#below.unassign([{ topic, partition }]);
    }
  }

  pause({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined) return;
    assigned.paused = true;
    this.#moved = true;
    if (assigned.row === undefined && !assigned.unknown) this.#below.pause(assigned);
  }

  resume({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined || !assigned.paused) return;
    assigned.paused = false;
    this.#moved = true;
    if (assigned.row === undefined && !assigned.unknown) this.#below.resume(assigned);
    else this.#wake?.();
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
    if (this.#fetching) throw new FlowError('log.unsupported', 'a reader fetches one call at a time; await the first');
    this.#fetching = true;
    try {
      return await this.#fetch(maxWaitMs, signal);
    } catch (thrown) {
      if (this.#closed && isFlowError(thrown, 'log.closed')) return [];
      throw thrown;
    } finally {
      this.#fetching = false;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    this.#wake?.();
    await this.#below.close();
  }

  async #fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    const { clock } = this.#parts;
    const deadline = clock.monotonic() + maxWaitMs;
    for (;;) {
      await this.#lookUp();
      if (this.#closed) return [];
      this.#aim();
      const found = this.#split(await this.#ask(Math.max(0, deadline - clock.monotonic()), signal));
      if (found.length > 0) return found;
      if (this.#closed || signal?.aborted || clock.monotonic() >= deadline) return [];
    }
  }

  /** A fetch below, which ends too where something was assigned or resumed. */
  async #ask(waitMs: Millis, signal: AbortSignal | undefined): Promise<readonly Fetched[]> {
    const stop = new AbortController();
    const wake = () => stop.abort(null);
    if (signal?.aborted) wake();
    signal?.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    try {
      return await this.#below.fetch(waitMs, stop.signal);
    } catch (thrown) {
      if (isFlowError(thrown, 'log.range')) await this.#explain();
      if (isFlowError(thrown, 'topic.missing')) this.#askAgain();
      throw thrown;
    } finally {
      this.#wake = undefined;
      signal?.removeEventListener('abort', wake);
    }
  }

  async #lookUp(): Promise<void> {
    while (this.#unknown.length > 0) {
      const unknown = this.#unknown;
      this.#unknown = [];
      const rows = await Promise.all(unknown.map(({ topic }) => this.#parts.directory.find(topic)));
      for (const [i, assigned] of unknown.entries()) {
        if (!this.#holds(assigned)) continue;
        assigned.unknown = false;
        const row = rows[i]!;
        if (row === null) this.#passThrough(assigned);
        else this.#follow(assigned, row);
      }
    }
    const { declarations } = this.#parts.directory;
    for (const { topic, row } of this.#assigned.values()) {
      if (row !== undefined && declarations.byId(row.id) === undefined) {
        throw new FlowError('topic.missing', `topic ${topic} was deleted`);
      }
    }
  }

  #passThrough(assigned: Assigned): void {
    this.#below.assign([assigned]);
    if (assigned.paused) this.#below.pause(assigned);
    else this.#below.resume(assigned);
  }

  #follow(assigned: Assigned, row: Row): void {
    if (assigned.position < 0) throw outside(assigned, 'below 0');
    const place = placeOf(row, assigned.partition);
    assigned.row = row;
    assigned.place = place;
    assigned.tag = row.tags[assigned.partition]!.toString('latin1');
    const name = partitionName(place.topic, place.partition);
    const cursor = this.#cursors.get(name) ?? { place, readings: new Set(), position: undefined };
    this.#cursors.set(name, cursor);
    cursor.readings.add(assigned);
    this.#moved = true;
  }

  #drop(assigned: Assigned): void {
    if (assigned.place === undefined) return;
    this.#cursors.get(partitionName(assigned.place.topic, assigned.place.partition))?.readings.delete(assigned);
    this.#moved = true;
  }

  /** Moves each cursor to the least position that is wanted, where one has changed. */
  #aim(): void {
    if (!this.#moved) return;
    this.#moved = false;
    for (const [name, cursor] of this.#cursors) {
      let least: Position | undefined;
      for (const { paused, position, place } of cursor.readings) {
        if (!paused) least = Math.min(least ?? Number.POSITIVE_INFINITY, position + place!.begin);
      }
      if (least !== undefined && least !== cursor.position) this.#below.assign([{ ...cursor.place, position: least }]);
      if (least === undefined && cursor.position !== undefined) this.#below.unassign([cursor.place]);
      cursor.position = least;
      if (cursor.readings.size === 0) this.#cursors.delete(name);
    }
  }

  /** Cursors move between fetches alone, so each is where its answer begins. */
  #split(answer: readonly Fetched[]): readonly Fetched[] {
    return answer.flatMap((fetched) => {
      const cursor = this.#cursors.get(partitionName(fetched.topic, fetched.partition));
      if (cursor === undefined) return fetched;
      cursor.position = fetched.next;
      return split(fetched, cursor.readings);
    });
  }

  #holds(assigned: Assigned): boolean {
    return this.#assigned.get(partitionName(assigned.topic, assigned.partition)) === assigned;
  }

  /** Topics that are not there may have been declared since. */
  #askAgain(): void {
    const { directory } = this.#parts;
    for (const assigned of this.#assigned.values()) {
      if (assigned.row !== undefined || assigned.unknown || directory.runOf(assigned.topic) === undefined) continue;
      directory.isMissing(assigned.topic);
      this.#below.unassign([assigned]);
      assigned.unknown = true;
      this.#unknown.push(assigned);
    }
  }

  /** Says of a position that is not in its lane whose it is, and why. */
  async #explain(): Promise<void> {
    for (const assigned of this.#assigned.values()) {
      const { place, row, position } = assigned;
      if (place === undefined || row === undefined || assigned.paused) continue;
      const { start, end } = await this.#parts.admin.bounds(place.topic, place.partition);
      if (position + place.begin > end) throw outside(assigned, `behind its end ${end - place.begin}`);
      if (position + place.begin < start) throw outside(assigned, dropped(row, place));
    }
  }
}

function outside({ topic, partition, position }: Assigned, why: string): FlowError {
  return new FlowError('log.range', `position ${position} of ${partitionName(topic, partition)} is ${why}`);
}

function dropped({ run }: Declaration, { topic, partition }: LanePlace): string {
  return (
    `gone: ${partitionName(topic, partition)}, where run ${run} lies, has dropped what is older than its retention; ` +
    'begin it anew, and let lanes keep more, or give it topics of its own'
  );
}
