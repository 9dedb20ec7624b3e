import type { Bytes } from '../../core/bytes.ts';
import type { Position } from '../../core/ids.ts';
import { EVENTS_TOPIC, isStepOf, stepHead, stepName } from '../../events/events.ts';
import { BatchView } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';

const FETCH_WAIT_MS = 100;

export interface ScanOptions {
  readonly partition: number;
  readonly execution: string;
  readonly from: Position;
  readonly to: Position;
  readonly signal?: AbortSignal | undefined;
  /** `bytes` stay as they are. Answers whether it was the last one. */
  take(position: Position, bytes: Bytes): boolean;
}

/**
 * Reads the committed step records of one execution between two positions of a partition, until the last one was taken,
 * and answers where it stopped. Records of others cost a look at the letters of their ids. A transaction that is open
 * below `to` is waited for.
 */
export async function scanSteps(log: Log, options: ScanOptions): Promise<Position> {
  const { partition, from, to, signal } = options;
  if (from >= to) return from;
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic: EVENTS_TOPIC, partition, position: from }]);
    const view = new BatchView();
    const visit = visitor(options, view);
    let next = from;
    while (next < to) {
      for (const fetched of await reader.fetch(FETCH_WAIT_MS, signal)) {
        try {
          for (let b = 0; b < fetched.starts.length; b++) {
            view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
            const last = visit(next);
            if (last !== undefined) return last + 1;
          }
          next = fetched.next;
        } finally {
          fetched.release();
        }
      }
      signal?.throwIfAborted();
    }
    return to;
  } finally {
    await reader.close();
  }
}

/** In memory of its own: a part of a buffer that many share would hold all of it. */
function copied(bytes: Bytes, start: number, end: number): Bytes {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/** Answers the position of the last step, where it stands in the batch. */
function visitor({ execution, to, take }: ScanOptions, view: BatchView): (next: Position) => Position | undefined {
  const name = stepName(execution);
  return (next) => {
    const { bytes, count, positions, valueStarts, valueEnds } = view;
    for (let i = 0; i < count; i++) {
      const start = valueStarts[i]!;
      const end = valueEnds[i]!;
      if (start < 0 || !isStepOf(bytes, start, end, name)) continue;
      const position = positions[i]!;
      if (position < next || position >= to) continue;
      // what only answers a command is of no history
      if (stepHead(bytes, start, end).seq === 0) continue;
      if (take(position, copied(bytes, start, end))) return position;
    }
    return undefined;
  };
}
