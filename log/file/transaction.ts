import { recycle } from '../../core/buffer-pool.ts';
import { type Bytes, EMPTY } from '../../core/bytes.ts';
import type { Position } from '../../core/ids.ts';
import type { GroupPosition } from './journal-frame.ts';
import type { Partition } from './partition.ts';

/** A batch that is not in its segment yet. */
export interface TailBatch {
  readonly base: Position;
  readonly last: Position;
  /** Empty once the segment holds it. */
  bytes: Bytes;
  readonly owner: Transaction;
}

/** What one transaction has appended to one partition. */
export interface Writes {
  /** first, last, first, last ... rising. */
  readonly ranges: Position[];
  batches: TailBatch[];
  /** The highest position handed over to a segment, -1 where nothing was. */
  handedOver: Position;
}

/** Batches and input positions that become visible together. An append outside of transactions is one by itself. */
export class Transaction {
  state: 'open' | 'committing' | 'committed' | 'aborted' = 'open';
  readonly producerId: number;
  readonly epoch: number;
  readonly writes = new Map<Partition, Writes>();
  /** Newest wins. */
  positions: GroupPosition[] = [];
  /** Bytes that no segment holds yet. */
  unwritten = 0;
  /** Its journal entry holds its batches: while it is written, their memory is in use. */
  embedded = false;

  constructor(producerId: number, epoch: number) {
    this.producerId = producerId;
    this.epoch = epoch;
  }

  take(partition: Partition, batch: TailBatch): void {
    let writes = this.writes.get(partition);
    if (writes === undefined) {
      writes = { ranges: [], batches: [], handedOver: -1 };
      this.writes.set(partition, writes);
    }
    const { ranges, batches } = writes;
    if (ranges.length > 0 && ranges[ranges.length - 1] === batch.base - 1) ranges[ranges.length - 1] = batch.last;
    else ranges.push(batch.base, batch.last);
    batches.push(batch);
    this.unwritten += batch.bytes.length;
  }

  /** The segment holds these now. */
  written(partition: Partition, batch: TailBatch): void {
    this.unwritten -= batch.bytes.length;
    if (this.state !== 'committing' || !this.embedded) recycle(batch.bytes);
    batch.bytes = EMPTY;
    const writes = this.writes.get(partition)!;
    if (writes.batches.length > 64 && writes.batches[writes.batches.length >> 1]!.bytes.length === 0) {
      writes.batches = writes.batches.filter((other) => other.bytes.length > 0);
    }
  }
}
