import type { Bytes } from '../../core/bytes.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { decodeStep, EVENTS_TOPIC, type StepRecord } from '../../events/events.ts';
import { type Log, partitionForKey } from '../../log/log.ts';
import { isLast } from './answers.ts';
import { dueTimeOfId, timeOfId } from './execution-ids.ts';
import { KeptHistories } from './kept-steps.ts';
import { rootOf } from './messages.ts';
import { type ScanOptions, scanSteps } from './step-scan.ts';

/** The partition of an execution, in all topics of the control plane. */
export function partitionOf(execution: string, partitions: number): number {
  const key = Buffer.from(rootOf(execution));
  return partitionForKey(key, 0, key.length, partitions);
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
    const kept = this.#kept.find(execution);
    const before = (kept?.records ?? []).map((bytes) => decodeStep(bytes));
    if (kept?.hasEnded === true) return before;
    const partition = partitionOf(execution, partitions);
    const { start, stable, end } = await log.admin.bounds(EVENTS_TOPIC, partition);
    const to = options.decided === true ? end : stable;
    const from = Math.max(start, kept?.next ?? (await this.#begin(execution, partition, options.startedAt)) ?? start);
    const place = { partition, execution, signal: options.signal };
    let { found, next } = await readSteps(log, { ...place, from, to });
    if (kept === undefined && from > start && found[0]?.record.seq !== 1) {
      const missed = await readSteps(log, { ...place, from: start, to: Math.min(from, to) });
      found = [...missed.found, ...found];
    }
    const records = [...before, ...found.map(({ record }) => record)];
    if (records[0]?.seq === 1) {
      const encoded = [...(kept?.records ?? []), ...found.map(({ bytes }) => bytes)];
      const first = kept === undefined ? found[0]!.position : kept.first;
      this.#kept.put(execution, { first, records: encoded, next, hasEnded: isLast(records.at(-1)!) });
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

async function readSteps(log: Log, options: Omit<ScanOptions, 'take'>) {
  const found: FoundStep[] = [];
  const take = (position: Position, bytes: Bytes) => {
    const record = decodeStep(bytes);
    found.push({ position, bytes, record });
    return isLast(record);
  };
  const next = await scanSteps(log, { ...options, take });
  return { found, next };
}
