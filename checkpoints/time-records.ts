import type { Bytes } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { type BatchBuilder, type BatchView, encodeHeaders } from '../log/batch.ts';

/**
 * How far a task has come in event time, as it tells the tasks behind a repartition topic: nothing older comes from it,
 * but for the disorder of its own inputs.
 *
 * - `active`: it holds time at `at`.
 * - `idle`: it does not count, until it speaks again; a lease, renewed while it lasts.
 * - `ended`: it does not count any more in this run.
 */
export interface TimeEntry {
  readonly task: string;
  readonly at: Millis;
  readonly status: 'active' | 'idle' | 'ended';
}

export interface TimeRecord {
  /** The number of the bounded run in which it was written. */
  readonly run: number;
  readonly entries: readonly TimeEntry[];
}

/** A time record has these headers and no others, and no key: records with a null key do not pass a repartition. */
const HEADERS = encodeHeaders([{ name: 'nf.time', value: Buffer.from('1') }]);
const STATUSES = ['active', 'idle', 'ended'] as const;

type Row = readonly [task: string, at: Millis, status: number];

/**
 * Told from data by its headers; it stands last in the batch of its transaction. Its value is JSON: the run, then a row
 * for each task. The header has the version of this format.
 */
export function appendTimeRecord(builder: BatchBuilder, timestamp: Millis, { run, entries }: TimeRecord): void {
  const rows = entries.map(({ task, at, status }): Row => [task, at, STATUSES.indexOf(status)]);
  const value = Buffer.from(JSON.stringify([run, ...rows]));
  builder.appendWithHeaders(timestamp, value, -1, -1, value, 0, value.length, HEADERS, 0, HEADERS.length);
}

export function isTimeRecord(view: BatchView, index: number): boolean {
  const start = view.headerStarts[index]!;
  const end = view.bodyEnds[index]!;
  if (end - start !== HEADERS.length || view.keyStarts[index]! >= 0) return false;
  return view.bytes.compare(HEADERS, 0, HEADERS.length, start, end) === 0;
}

export function readTimeRecord(bytes: Bytes, start: number, end: number): TimeRecord {
  const [run, ...rows] = JSON.parse(bytes.toString('utf8', start, end)) as [number, ...Row[]];
  return { run, entries: rows.map(([task, at, status]) => ({ task, at, status: STATUSES[status] ?? 'active' })) };
}

interface Noted {
  readonly partitions: number;
  readonly run: number;
  readonly entries: TimeEntry[];
  /** Those that partitions are told too to which nothing else goes. */
  readonly everywhere: TimeEntry[];
}

/** What the tasks of a worker have to tell at the end of an epoch, by topic. */
export class TimeNotes {
  readonly #noted = new Map<string, Noted>();

  /** Goes to the partitions that the epoch wrote to, or to all. */
  add(
    topic: { readonly name: string; readonly partitions: number },
    run: number,
    entry: TimeEntry,
    all: boolean,
  ): void {
    let noted = this.#noted.get(topic.name);
    if (noted === undefined) {
      noted = { partitions: topic.partitions, run, entries: [], everywhere: [] };
      this.#noted.set(topic.name, noted);
    }
    noted.entries.push(entry);
    if (all) noted.everywhere.push(entry);
  }

  /** Hands over, for each partition, what it is told. */
  take(touched: (topic: string, partition: number) => boolean, tell: Tell): void {
    for (const [topic, { partitions, run, entries, everywhere }] of this.#noted) {
      for (let partition = 0; partition < partitions; partition++) {
        const told = touched(topic, partition) ? entries : everywhere;
        if (told.length > 0) tell(topic, partition, { run, entries: told });
      }
    }
    this.#noted.clear();
  }

  clear(): void {
    this.#noted.clear();
  }
}

type Tell = (topic: string, partition: number, record: TimeRecord) => void;
