/**
 * Bytes as the engine handles them: one `Buffer` as an arena, positions into it as numbers.
 * Nothing on the record path makes a Buffer per field; a field is `(bytes, start, end)`.
 *
 * 64-bit integers are JavaScript numbers. Positions, timestamps and counters stay below 2^53 by
 * construction; a value beyond it is an error at the codec that meets it, never a silent rounding.
 */
export type Bytes = Buffer;

export const EMPTY: Bytes = Buffer.alloc(0);

export function readInt16(bytes: Bytes, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

export function readInt32(bytes: Bytes, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Two 32-bit halves: twenty times cheaper than a BigInt, exact within ±2^53. */
export function readInt64(bytes: Bytes, at: number): number {
  return readInt32(bytes, at) * 4294967296 + (readInt32(bytes, at + 4) >>> 0);
}

export function writeInt16(bytes: Bytes, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeInt32(bytes: Bytes, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeInt64(bytes: Bytes, at: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  writeInt32(bytes, at, high);
  writeInt32(bytes, at + 4, value - high * 4294967296);
}

/** Bytes of the unsigned varint of a value below 2^53. */
export function varintSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16384) return 2;
  if (value < 2097152) return 3;
  if (value < 268435456) return 4;
  let size = 5;
  for (let rest = value / 34359738368; rest >= 1; rest /= 128) size++;
  return size;
}

/** Zigzag of a signed value within ±2^52, as Kafka and Avro write it. */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Writes an unsigned varint below 2^53; answers the position behind it. */
export function writeVarint(bytes: Bytes, at: number, value: number): number {
  let rest = value;
  while (rest >= 268435456) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** -1, 0 or 1 by unsigned byte order, a shorter prefix first: the order of keys in every store. */
export function compareBytes(a: Bytes, aStart: number, aEnd: number, b: Bytes, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  const rest = aEnd - aStart - (bEnd - bStart);
  return rest === 0 ? 0 : rest < 0 ? -1 : 1;
}

export function equalBytes(a: Bytes, aStart: number, aEnd: number, b: Bytes, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (a[i] !== b[j]) return false;
  return true;
}

/** Bytes up to which a loop beats a native call. */
const LOOP_BYTES = 28;

/** Copies `source[start, end)` to `target` at `at`; answers the position behind it. The two must not overlap. */
export function copyBytes(target: Bytes, at: number, source: Bytes, start: number, end: number): number {
  if (end - start > LOOP_BYTES) return at + source.copy(target, at, start, end);
  for (let i = start; i < end; i++) target[at++] = source[i]!;
  return at;
}

/**
 * A growing arena to encode into. `bytes` may be replaced by any call that grows it, so a caller
 * re-reads `writer.bytes` after each; written bytes lie in `[0, writer.at)`.
 */
export class ByteWriter {
  bytes: Bytes;
  at = 0;

  /** So many bytes to begin with, or these. */
  constructor(memory: number | Bytes = 1024) {
    this.bytes = typeof memory === 'number' ? Buffer.allocUnsafeSlow(memory) : memory;
  }

  clear(): void {
    this.at = 0;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.at + count;
    if (need <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  int32(value: number): void {
    this.reserve(4);
    writeInt32(this.bytes, this.at, value);
    this.at += 4;
  }

  int64(value: number): void {
    this.reserve(8);
    writeInt64(this.bytes, this.at, value);
    this.at += 8;
  }

  double(value: number): void {
    this.reserve(8);
    this.bytes.writeDoubleBE(value, this.at);
    this.at += 8;
  }

  /** Unsigned varint. */
  varint(value: number): void {
    this.reserve(8);
    this.at = writeVarint(this.bytes, this.at, value);
  }

  copy(source: Bytes, start: number, end: number): void {
    this.reserve(end - start);
    this.at = copyBytes(this.bytes, this.at, source, start, end);
  }

  /** The text as UTF-8, without a length. */
  text(value: string): void {
    this.reserve(value.length * 3);
    this.at += this.bytes.write(value, this.at);
  }

  /** A copy of what was written, for callers off the record path. */
  take(): Bytes {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }
}
