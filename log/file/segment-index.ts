import { type Bytes, readInt32, readInt64, writeInt32, writeInt64 } from '../../core/bytes.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { crc32c } from '../batch.ts';

/** Bytes of a segment between two rows of its index. */
const STRIDE_BYTES = 64 << 10;
const MAGIC = 0x6e666978;
const VERSION = 1;
const HEAD_BYTES = 48;
const ROW_BYTES = 16;

/** Where positions lie in a segment, one row about every 64 KiB, and what else is known without reading it. */
export class SegmentIndex {
  /** Bytes of the segment that the index covers. */
  covered = 0;
  /** Behind the last record covered. */
  next: Position;
  /** The greatest record timestamp; -Infinity while empty. */
  maxTimestamp: Millis = Number.NEGATIVE_INFINITY;
  /** When compaction first left tombstones in the segment, -1 where it did not. */
  tombstonesSince: Millis = -1;
  readonly #positions: Position[] = [];
  readonly #places: number[] = [];

  constructor(base: Position) {
    this.next = base;
  }

  /** Takes in the batch that lies at `covered`. */
  add(base: Position, last: Position, length: number, maxTimestamp: Millis): void {
    const rows = this.#places.length;
    if (rows === 0 || this.covered - this.#places[rows - 1]! >= STRIDE_BYTES) {
      this.#positions.push(base);
      this.#places.push(this.covered);
    }
    this.covered += length;
    this.next = last + 1;
    if (maxTimestamp > this.maxTimestamp) this.maxTimestamp = maxTimestamp;
  }

  /** A place at or before the batch that holds `position`. */
  place(position: Position): number {
    return this.#places[lastUpTo(this.#positions, position)] ?? 0;
  }

  /** Of `most` bytes from `at`, those up to the last row among them, where a batch begins: the rest would be half of one. */
  wholeLength(at: number, most: number): number {
    if (at + most >= this.covered) return most;
    const end = this.#places[lastUpTo(this.#places, at + most)] ?? 0;
    return end > at ? end - at : most;
  }

  encode(): Bytes {
    const rows = this.#places.length;
    const bytes = Buffer.alloc(HEAD_BYTES + rows * ROW_BYTES);
    writeInt32(bytes, 0, MAGIC);
    writeInt32(bytes, 4, VERSION);
    writeInt32(bytes, 12, rows);
    writeInt64(bytes, 16, this.covered);
    writeInt64(bytes, 24, this.next);
    bytes.writeDoubleBE(this.maxTimestamp, 32);
    writeInt64(bytes, 40, this.tombstonesSince);
    for (let i = 0, at = HEAD_BYTES; i < rows; i++, at += ROW_BYTES) {
      writeInt64(bytes, at, this.#positions[i]!);
      writeInt64(bytes, at + 8, this.#places[i]!);
    }
    writeInt32(bytes, 8, crc32c(bytes, 12, bytes.length));
    return bytes;
  }

  /** The index in `bytes`, or `undefined` where they are none of this version; it can be rebuilt. */
  static decode(base: Position, bytes: Bytes): SegmentIndex | undefined {
    if (bytes.length < HEAD_BYTES || readInt32(bytes, 0) !== MAGIC || readInt32(bytes, 4) !== VERSION) return undefined;
    if (readInt32(bytes, 8) >>> 0 !== crc32c(bytes, 12, bytes.length)) return undefined;
    const index = new SegmentIndex(base);
    const rows = readInt32(bytes, 12);
    if (bytes.length !== HEAD_BYTES + rows * ROW_BYTES) return undefined;
    index.covered = readInt64(bytes, 16);
    index.next = readInt64(bytes, 24);
    index.maxTimestamp = bytes.readDoubleBE(32);
    index.tombstonesSince = readInt64(bytes, 40);
    for (let i = 0, at = HEAD_BYTES; i < rows; i++, at += ROW_BYTES) {
      index.#positions.push(readInt64(bytes, at));
      index.#places.push(readInt64(bytes, at + 8));
    }
    return index;
  }
}

/** The last of rising numbers that is not above `limit`; -1 where there is none. */
function lastUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
