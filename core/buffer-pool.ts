import type { Bytes } from './bytes.ts';

const SMALLEST_BYTES = 4096;
/** Sizes beyond this differ by it. */
const STEP_BYTES = 64 << 10;
const LARGEST_BYTES = 4 << 20;
/** What an epoch of a fast job has under way; memory that came and went would be the collector's whole work. */
const KEPT_BYTES = 96 << 20;

/** Buffers that batches and cuts of state are built in, shared by all who build them in a thread. */
const kept: Bytes[] = [];
let keptBytes = 0;
/** The memory of buffers lent and not given back; nothing else is ever taken. */
const lent = new WeakSet<ArrayBufferLike>();

/** A buffer of at least `size` bytes, over an array buffer of its own. */
export function lend(size: number): Bytes {
  const bytes = takeKept(size) ?? Buffer.allocUnsafeSlow(roomFor(size));
  lent.add(bytes.buffer);
  return bytes;
}

/** Takes a lent buffer back, given as any view of it. Ignored where its memory has gone to another thread. */
export function recycle(view: ArrayBufferView): void {
  const memory = view.buffer;
  if (!lent.delete(memory)) return;
  const size = memory.byteLength;
  if (size < SMALLEST_BYTES || size > LARGEST_BYTES || keptBytes + size > KEPT_BYTES) return;
  keptBytes += size;
  kept.push(Buffer.from(memory));
}

/** Whether the bytes lie in memory that was lent to whoever had them, and to nobody else. */
export function isLent(bytes: Bytes): boolean {
  return lent.has(bytes.buffer);
}

/** Rounded up, so that a buffer fits again what is a little larger, but by less than a step where it is large. */
function roomFor(size: number): number {
  if (size > STEP_BYTES) return Math.ceil(size / STEP_BYTES) * STEP_BYTES;
  return Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(size)));
}

function takeKept(size: number): Bytes | undefined {
  for (let i = kept.length - 1; i >= 0; i--) {
    const found = kept[i]!;
    if (found.length < size || found.length > size * 4 + SMALLEST_BYTES) continue;
    kept.splice(i, 1);
    keptBytes -= found.length;
    return found;
  }
  return undefined;
}
