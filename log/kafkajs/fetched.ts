import type { Position } from '../../core/ids.ts';
import type { HeaderPair } from '../batch.ts';
import { type Packed, Packer, type PlacedRecord } from '../clients/records.ts';
import type { BatchContext, FetchedMessage, FetchedPartition } from './library.ts';

/** What an answer holds for one partition, in our terms. */
export interface Decoded {
  readonly packed: Packed;
  readonly next: Position;
  readonly end: Position;
}

const ABORT = 0;
const packer = new Packer();

/**
 * Batches of what a fetch answered from `position`. Control batches are left out, and for committed readers aborted
 * ones too.
 */
export function decodeFetched(answer: FetchedPartition, position: Position, committed: boolean): Decoded {
  const end = Number(committed ? answer.lastStableOffset : answer.highWatermark);
  const lists: PlacedRecord[][] = [];
  const aborted = new Aborted(committed ? answer.abortedTransactions : []);
  let context: BatchContext | undefined;
  let list: PlacedRecord[] | undefined;
  for (const message of answer.messages) {
    if (message.batchContext !== context) {
      context = message.batchContext;
      list = undefined;
      if (!aborted.leavesOut(context, message)) {
        list = [];
        lists.push(list);
      }
    }
    list?.push(recordOf(message));
  }
  return { packed: packer.pack(lists), next: nextOf(context, position, end), end };
}

function nextOf(last: BatchContext | undefined, position: Position, end: Position): Position {
  if (last !== undefined) return Math.max(position, Number(last.firstOffset) + last.lastOffsetDelta + 1);
  // The library tells nothing of a batch that compaction has emptied: such ones are passed position by position.
  return position < end ? position + 1 : position;
}

/** Which transactions of a fetch were aborted, while its batches go by in order. */
class Aborted {
  readonly #open = new Set<string>();
  readonly #coming: { readonly producerId: string; readonly first: Position }[];

  constructor(transactions: FetchedPartition['abortedTransactions']) {
    this.#coming = transactions
      .map(({ producerId, firstOffset }) => ({ producerId, first: Number(firstOffset) }))
      .sort((a, b) => a.first - b.first);
  }

  leavesOut({ firstOffset, producerId, inTransaction, isControlBatch }: BatchContext, first: FetchedMessage): boolean {
    while (this.#coming.length > 0 && this.#coming[0]!.first <= Number(firstOffset)) {
      this.#open.add(this.#coming.shift()!.producerId);
    }
    if (isControlBatch) {
      // The key of a marker: two bytes of version, two of what it says.
      if (first.key !== null && first.key.length >= 4 && first.key.readInt16BE(2) === ABORT)
        this.#open.delete(producerId);
      return true;
    }
    return inTransaction && this.#open.has(producerId);
  }
}

function recordOf({ offset, timestamp, key, value, headers }: FetchedMessage): PlacedRecord {
  return { position: Number(offset), timestamp: Number(timestamp), key, value, headers: pairsOf(headers) };
}

const NO_HEADERS: readonly HeaderPair[] = [];

function pairsOf(headers: FetchedMessage['headers']): readonly HeaderPair[] {
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  return names.flatMap((name) => {
    const values = headers[name]!;
    return (Array.isArray(values) ? values : [values]).map((value) => ({ name, value }));
  });
}
