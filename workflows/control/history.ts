import { type Bytes, ByteWriter } from '../../core/bytes.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { decodeStep, EVENTS_TOPIC, type StepRecord } from '../../events/events.ts';
import { type Log, partitionForKey } from '../../log/log.ts';
import { isLast } from './answers.ts';
import { dueTimeOfId, timeOfId } from './execution-ids.ts';
import { KeptHistories } from './kept-steps.ts';
import { rootOf } from './messages.ts';
import { type ScanOptions, scanSteps } from './step-scan.ts';

const key = new ByteWriter(64);

/** The partition of an execution, in all topics of the control plane. */
export function partitionOf(execution: string, partitions: number): number {
  key.clear();
  key.text(rootOf(execution));
  return partitionForKey(key.bytes, 0, key.at, partitions);
}

export interface HistoriesParts {
  readonly log: Log;
  readonly partitions: number;
  place?(execution: string): Promise<{ readonly first: Position } | undefined>;
}

export interface HistoryOptions {
  /** When it began, where that is known. */
  readonly startedAt?: Millis | undefined;
  /** What is about to be decided is waited for, as by who decides it. Else what is committed by now is all. */
  readonly decided?: boolean;
  /** No step behind this one is wanted; there may be some more. */
  readonly seq?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Committed step records of executions. The records of one lie in one partition, the first with `seq` 1 and at the time
 * at which the execution began, all others behind it and at no earlier time: so reading begins at the first record of
 * that time or a later one, however clocks have jumped, and stops at its end. Times that are not known for sure, and
 * places, are held against what is found: where the first record is not that of the first step, the rest of the
 * partition is read too.
 */
export class Histories {
  readonly #parts: HistoriesParts;
  readonly #kept = new KeptHistories();

  constructor(parts: HistoriesParts) {
    this.#parts = parts;
  }

  /** In order; those that answer a command without effect are none. */
  async read(execution: string, options: HistoryOptions = {}): Promise<readonly StepRecord[]> {
    const { log, partitions } = this.#parts;
    const { seq = Number.POSITIVE_INFINITY, signal } = options;
    const kept = this.#kept.find(execution);
    const before = (kept?.records ?? []).map((bytes) => decodeStep(bytes));
    if (kept?.hasEnded === true || before.length >= seq) return before;
    const partition = partitionOf(execution, partitions);
    const { start, stable, end } = await log.admin.bounds(EVENTS_TOPIC, partition);
    const to = options.decided === true ? end : stable;
    const told = kept?.next ?? (await this.#begin(execution, partition, options.startedAt)) ?? start;
    const from = Math.min(to, Math.max(start, told));
    const place = { partition, execution, seq, signal };
    let read = await readSteps(log, { ...place, from, to });
    if (kept === undefined && from > start && read.found[0]?.record.seq !== 1) {
      const missed = await readSteps(log, { ...place, from: start, to: from });
      read = missed.isDone ? missed : { ...read, found: [...missed.found, ...read.found] };
    }
    const { found, next } = read;
    const records = [...before, ...found.map(({ record }) => record)];
    // of what was deleted from the log nothing can be said
    if (records.length === 0 || records[0]!.seq === 1) {
      const encoded = [...(kept?.records ?? []), ...found.map(({ bytes }) => bytes)];
      const hasEnded = records.length > 0 && isLast(records.at(-1)!);
      this.#kept.put(execution, { first: kept?.first ?? found[0]?.position, records: encoded, next, hasEnded });
    }
    return records;
  }

  /** Where its first step may stand. */
  async #begin(execution: string, partition: number, startedAt: Millis | undefined): Promise<Position | undefined> {
    const { log } = this.#parts;
    const since = (at: Millis) => log.admin.positionSince(EVENTS_TOPIC, partition, at);
    const known = this.#kept.firstOf(execution);
    if (known !== undefined) return known;
    const at = startedAt ?? timeOfId(execution);
    if (at !== undefined) return since(at);
    const place = await this.#parts.place?.(execution).catch(() => undefined);
    if (place !== undefined) return place.first;
    const due = dueTimeOfId(execution);
    return due === undefined ? undefined : since(due);
  }
}

interface FoundStep {
  readonly position: Position;
  readonly bytes: Bytes;
  readonly record: StepRecord;
}

interface ReadSteps {
  readonly found: readonly FoundStep[];
  readonly next: Position;
  /** Nothing behind them is wanted. */
  readonly isDone: boolean;
}

async function readSteps(log: Log, options: Omit<ScanOptions, 'take'> & { readonly seq: number }): Promise<ReadSteps> {
  const found: FoundStep[] = [];
  let isDone = false;
  const take = (position: Position, bytes: Bytes) => {
    const record = decodeStep(bytes);
    found.push({ position, bytes, record });
    isDone = isLast(record) || record.seq >= options.seq;
    return isDone;
  };
  const next = await scanSteps(log, { ...options, take });
  return { found, next, isDone };
}
