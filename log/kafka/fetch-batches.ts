import type { Bytes } from '../../core/bytes.ts';
import type { Position, TopicPartition } from '../../core/ids.ts';
import { BATCH_HEADER_BYTES, batchLength, checkBatch } from '../batch.ts';
import { isControl, isTransactional, lastPosition, producerId } from '../batch-header.ts';
import { markerOf } from '../control.ts';

export interface Batches {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly next: Position;
}

/**
 * The whole batches of `bytes[start, end)` that a reader standing at `position` is to see: checked, without control
 * batches, and without those of the aborted transactions, given as pairs of producer and first position. A batch that
 * is cut off at the end is left for the next fetch.
 */
export function takeBatches(
  bytes: Bytes,
  start: number,
  end: number,
  position: Position,
  aborted: readonly number[],
  where: TopicPartition,
): Batches {
  const starts: number[] = [];
  const ends: number[] = [];
  const filter = aborted.length === 0 ? undefined : new AbortedFilter(aborted);
  let next = position;
  for (let at = start; at + BATCH_HEADER_BYTES <= end; ) {
    const length = batchLength(bytes, at);
    if (length >= BATCH_HEADER_BYTES && at + length > end) break;
    checkBatch(bytes, at, Math.min(end, at + Math.max(0, length)), where);
    const last = lastPosition(bytes, at);
    const hidden = filter?.hides(bytes, at, at + length, where) === true;
    if (last >= position) {
      next = last + 1;
      if (!hidden && !isControl(bytes, at)) {
        starts.push(at);
        ends.push(at + length);
      }
    }
    at += length;
  }
  return { starts, ends, next };
}

/**
 * Tells batches of aborted transactions. A transaction begins at its first position and ends at its producer's abort
 * marker, so batches must be shown in order.
 */
class AbortedFilter {
  readonly #producers: number[] = [];
  readonly #firsts: number[] = [];
  #begun = 0;
  readonly #aborting = new Set<number>();

  constructor(pairs: readonly number[]) {
    const order = Array.from({ length: pairs.length / 2 }, (_, i) => i * 2);
    order.sort((a, b) => pairs[a + 1]! - pairs[b + 1]!);
    for (const i of order) {
      this.#producers.push(pairs[i]!);
      this.#firsts.push(pairs[i + 1]!);
    }
  }

  hides(bytes: Bytes, start: number, end: number, where: TopicPartition): boolean {
    if (!isTransactional(bytes, start)) return false;
    const last = lastPosition(bytes, start);
    while (this.#begun < this.#firsts.length && this.#firsts[this.#begun]! <= last) {
      this.#aborting.add(this.#producers[this.#begun++]!);
    }
    const producer = producerId(bytes, start);
    if (!this.#aborting.has(producer)) return false;
    if (isControl(bytes, start)) {
      if (markerOf(bytes, start, end, where) === 'abort') this.#aborting.delete(producer);
      return false;
    }
    return true;
  }
}
