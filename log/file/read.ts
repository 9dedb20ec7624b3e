import { type Bytes, EMPTY } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Position, partitionName } from '../../core/ids.ts';
import { BATCH_HEADER_BYTES, batchLength, checkBatch } from '../batch.ts';
import { basePosition, corrupt, isControl, lastPosition } from '../batch-header.ts';
import type { BufferPool } from './buffers.ts';
import type { Partition } from './partition.ts';
import type { Segment } from './segment.ts';

export interface ReadRequest {
  readonly partition: Partition;
  readonly position: Position;
  /** The position not to pass. */
  readonly limit: Position;
  readonly maxBytes: number;
  /** Leaves aborted batches out. */
  readonly committed: boolean;
  readonly buffers: BufferPool;
}

export interface Place {
  readonly segment: Segment;
  readonly at: number;
  /** Of the batch that lies there, or behind it. */
  readonly position: Position;
}

export interface Taken {
  readonly bytes: Bytes;
  readonly starts: number[];
  readonly ends: number[];
  readonly next: Position;
  readonly place: Place | undefined;
}

/** Batches that no segment holds yet, copied together. */
export function readTail({ partition, position, limit, maxBytes, committed, buffers }: ReadRequest): Taken {
  const { tail } = partition;
  let first = 0;
  for (let high = tail.length; first < high; ) {
    const middle = (first + high) >>> 1;
    if (tail[middle]!.last < position) first = middle + 1;
    else high = middle;
  }
  let length = 0;
  let last = first;
  for (; last < tail.length; last++) {
    const batch = tail[last]!;
    if (batch.base >= limit || (length > 0 && length + batch.bytes.length > maxBytes)) break;
    length += batch.bytes.length;
  }
  const bytes = length === 0 ? EMPTY : buffers.lend(length);
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (let i = first; i < last; i++) {
    const batch = tail[i]!;
    if (committed && batch.owner.state === 'aborted') continue;
    starts.push(at);
    at += batch.bytes.copy(bytes, at);
    ends.push(at);
  }
  const next = last < tail.length && tail[last]!.base < limit ? tail[last - 1]!.last + 1 : limit;
  return { bytes, starts, ends, next, place: undefined };
}

/** Whole batches from one segment, with one read where they lie in a row. */
export async function readDisk(request: ReadRequest, hint: Place | undefined): Promise<Taken> {
  for (;;) {
    const segment = chooseSegment(request, hint);
    let taken: Taken | undefined;
    try {
      taken = await readSegment(request, segment, hint);
    } catch (thrown) {
      if (!segment.dead) throw thrown;
    }
    // Removed or replaced meanwhile: what was read may be of either file.
    if (taken !== undefined && !segment.dead) return taken;
    if (taken !== undefined) request.buffers.giveBack(taken.bytes);
    checkRange(request.partition, request.position);
  }
}

function chooseSegment({ partition, position }: ReadRequest, hint: Place | undefined): Segment {
  const known = hint !== undefined && !hint.segment.dead && hint.position === position;
  return known && hint.at < hint.segment.size ? hint.segment : segmentOf(partition, position);
}

async function readSegment(request: ReadRequest, segment: Segment, hint: Place | undefined): Promise<Taken> {
  const { partition, position, maxBytes, buffers } = request;
  const hinted = hint?.segment === segment && hint.position === position;
  let at = hinted ? hint.at : segment.index.place(position);
  let want = maxBytes;
  return await segment.use(async (file) => {
    for (;;) {
      if (at >= segment.size) {
        const next = Math.min(segment.index.next, request.limit);
        return { bytes: EMPTY, starts: [], ends: [], next, place: undefined };
      }
      const length = Math.min(segment.index.wholeLength(at, want), segment.size - at);
      const bytes = buffers.lend(length);
      const got = await file.read(bytes, 0, length, at);
      const walk = walkBatches(request, bytes, got);
      if (walk.starts.length > 0 || walk.next > position) {
        return { ...walk, bytes, place: { segment, at: at + walk.end, position: walk.next } };
      }
      if (walk.end > 0) at += walk.end;
      else want = Math.max(want * 2, neededBytes(partition, position, bytes, got, segment.size - at));
      buffers.giveBack(bytes);
    }
  });
}

interface Walk {
  readonly starts: number[];
  readonly ends: number[];
  readonly next: Position;
  /** Bytes passed. */
  readonly end: number;
}

function walkBatches({ partition, position, limit, committed }: ReadRequest, bytes: Bytes, got: number): Walk {
  const where = { topic: partition.topic.name, partition: partition.number };
  const aborted = committed && partition.aborted.size > 0 ? partition.aborted : undefined;
  const starts: number[] = [];
  const ends: number[] = [];
  let next = position;
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= got) {
    const length = batchLength(bytes, at);
    const base = basePosition(bytes, at);
    if (length < BATCH_HEADER_BYTES) throw corrupt(where, next, `its length field says ${length} bytes`);
    if (at + length > got) break;
    if (base >= limit) {
      next = limit;
      break;
    }
    const last = lastPosition(bytes, at);
    if (last >= position) {
      checkBatch(bytes, at, at + length, where);
      if (!isControl(bytes, at) && (aborted === undefined || !aborted.has(base))) {
        starts.push(at);
        ends.push(at + length);
      }
      next = last + 1;
    }
    at += length;
  }
  return { starts, ends, next, end: at };
}

/** Bytes of a batch that is longer than was read; fails where it reaches beyond its segment. */
function neededBytes(partition: Partition, position: Position, bytes: Bytes, got: number, left: number): number {
  const length = got < BATCH_HEADER_BYTES ? left + 1 : batchLength(bytes, 0);
  if (length <= left && got > 0) return length;
  const where = { topic: partition.topic.name, partition: partition.number };
  throw corrupt(where, position, `it is cut off: ${left} bytes are left in its segment`);
}

function segmentOf(partition: Partition, position: Position): Segment {
  const { segments } = partition;
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.index.next <= position) low = middle + 1;
    else high = middle;
  }
  return segments[low]!;
}

/** Fails with `log.range` where the position cannot be read any more, or not yet. */
export function checkRange(partition: Partition, position: Position): void {
  if (position >= partition.start && position <= partition.end) return;
  const name = partitionName(partition.topic.name, partition.number);
  throw new FlowError(
    'log.range',
    `position ${position} of ${name} is outside of ${partition.start} to ${partition.end}; ` +
      'reset the position, retention may have removed it',
  );
}
