import { type Bytes, ByteWriter, zigzag } from '../core/bytes.ts';
import { readSigned, varintEnd } from './varint.ts';

/** A header of a record: not unique by name, order is kept. */
export interface HeaderPair {
  readonly name: string;
  readonly value: Bytes | null;
}

type VisitHeader = (nameStart: number, nameEnd: number, valueStart: number, valueEnd: number) => void;

/**
 * Walks over the headers of a record, from their count at `start` to at most `limit`; a null value starts at -1.
 * Answers where they end, or -1 where they do not fit.
 */
export function eachHeader(bytes: Bytes, start: number, limit: number, visit: VisitHeader): number {
  const count = readSigned(bytes, start, limit);
  if (!(count >= 0)) return -1;
  let at = varintEnd;
  for (let i = 0; i < count; i++) {
    const nameLength = readSigned(bytes, at, limit);
    if (!(nameLength >= 0 && nameLength <= limit - varintEnd)) return -1;
    const nameStart = varintEnd;
    const nameEnd = nameStart + nameLength;
    const valueLength = readSigned(bytes, nameEnd, limit);
    if (!(valueLength >= -1 && valueLength <= limit - varintEnd)) return -1;
    at = varintEnd;
    if (valueLength === -1) visit(nameStart, nameEnd, -1, -1);
    else {
      const valueStart = at;
      at += valueLength;
      visit(nameStart, nameEnd, valueStart, at);
    }
  }
  return at;
}

/** Where the headers that begin at `start` end; -1 where they do not fit before `limit`. */
export function headersEnd(bytes: Bytes, start: number, limit: number): number {
  return eachHeader(bytes, start, limit, ignore);
}

function ignore(): void {}

/** The headers of a record as objects; values are copies. For tools and dead letters, not the record path. */
export function readHeaders(bytes: Bytes, start: number, limit: number): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  eachHeader(bytes, start, limit, (nameStart, nameEnd, valueStart, valueEnd) => {
    const value = valueStart === -1 ? null : Buffer.from(bytes.subarray(valueStart, valueEnd));
    pairs.push({ name: bytes.toString('utf8', nameStart, nameEnd), value });
  });
  return pairs;
}

/** The raw header section, count first, as `BatchBuilder.appendWithHeaders` takes it. */
export function encodeHeaders(pairs: readonly HeaderPair[]): Bytes {
  const writer = new ByteWriter(256);
  writer.varint(zigzag(pairs.length));
  for (const { name, value } of pairs) {
    writer.varint(zigzag(Buffer.byteLength(name)));
    writer.text(name);
    writer.varint(zigzag(value === null ? -1 : value.length));
    if (value !== null) writer.copy(value, 0, value.length);
  }
  return writer.take();
}
