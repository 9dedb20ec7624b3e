import type { Bytes } from './bytes.ts';

/** What waits to be written is mostly small: the batch of one record, the cut of one row. */
const SMALLEST_BITS = 9;
const SMALLEST_BYTES = 1 << SMALLEST_BITS;
/** Sizes beyond this differ by it. */
const STEP_BITS = 16;
const STEP_BYTES = 1 << STEP_BITS;
const LARGEST_BYTES = 4 << 20;
/** What an epoch of a fast job has under way; memory that came and went would be the collector's whole work. */
const KEPT_BYTES = 96 << 20;

/** The memory of a buffer that was lent; nothing else is ever taken. */
interface Memory extends ArrayBuffer {
  whole?: Bytes;
  isLent?: boolean;
}

/**
 * Buffers that batches and cuts of state are built in, shared by all who build them in a thread, by their place in the
 * row of sizes: so many come back from one busy second that looking through them costs more than they save.
 */
const kept: Bytes[][] = Array.from({ length: placeOf(LARGEST_BYTES) + 1 }, () => []);
let keptBytes = 0;

/** A buffer of at least `size` bytes, over an array buffer of its own. */
export function lend(size: number): Bytes {
  const bytes = takeKept(size) ?? Buffer.allocUnsafeSlow(roomFor(size));
  const memory = bytes.buffer as Memory;
  memory.whole = bytes;
  memory.isLent = true;
  return bytes;
}

/** Takes a lent buffer back, given as any view of it. Ignored where its memory has gone to another thread. */
export function recycle(view: ArrayBufferView): void {
  const memory = view.buffer as Memory;
  if (memory.isLent !== true) return;
  memory.isLent = false;
  const size = memory.byteLength;
  if (size < SMALLEST_BYTES || size > LARGEST_BYTES || keptBytes + size > KEPT_BYTES) return;
  keptBytes += size;
  kept[placeOf(size)]!.push(memory.whole!);
}

/** Whether the bytes lie in memory that was lent to whoever had them, and to nobody else. */
export function isLent(bytes: Bytes): boolean {
  return (bytes.buffer as Memory).isLent === true;
}

/** Rounded up, so that a buffer fits again what is a little larger, but by less than a step where it is large. */
function roomFor(size: number): number {
  return size > LARGEST_BYTES ? Math.ceil(size / STEP_BYTES) * STEP_BYTES : sizeAt(placeOf(size));
}

/** Powers of two up to a step, then steps. */
function sizeAt(place: number): number {
  const steps = place - (STEP_BITS - SMALLEST_BITS);
  return steps < 0 ? SMALLEST_BYTES << place : (steps + 1) * STEP_BYTES;
}

/** The first that has room for so many bytes. */
function placeOf(size: number): number {
  if (size <= SMALLEST_BYTES) return 0;
  if (size <= STEP_BYTES) return 32 - SMALLEST_BITS - Math.clz32(size - 1);
  return STEP_BITS - SMALLEST_BITS + Math.ceil(size / STEP_BYTES) - 1;
}

function takeKept(size: number): Bytes | undefined {
  const most = size * 4 + SMALLEST_BYTES;
  for (let place = placeOf(size); place < kept.length && sizeAt(place) <= most; place++) {
    const found = kept[place]!.pop();
    if (found === undefined) continue;
    keptBytes -= found.length;
    return found;
  }
  return undefined;
}
