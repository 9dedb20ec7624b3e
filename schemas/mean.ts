import { type Bytes, type ByteWriter, readInt64 } from '../core/bytes.ts';
import { ownShape } from '../core/flyweight.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Cells, Serde } from './schemas.ts';

/** How many numbers there were, and their sum. The mean of none is NaN. */
export interface Mean {
  count: number;
  sum: number;
  readonly mean: number;
}

const NAME = 'mean';
const ROW_BYTES = 16;

/** A count as int64 and a sum as a double; in tables a row of two cells. */
export function meanRow(): Serde<Mean> {
  return MEAN;
}

/** An object over two places, which may be written where `write` is given; the mean is what they say. */
function accessor(read: (place: number) => number, write?: (place: number, value: number) => void): Mean {
  const row = ownShape();
  const field = (name: keyof Mean, get: () => number, set?: (value: number) => void) =>
    Object.defineProperty(row, name, { enumerable: true, configurable: false, get, ...(set && { set }) });
  field('count', () => read(0), write && ((count) => write(0, count)));
  field('sum', () => read(1), write && ((sum) => write(1, sum)));
  field('mean', () => read(1) / read(0));
  return Object.preventExtensions(row) as Mean;
}

function check(start: number, end: number): void {
  if (end - start !== ROW_BYTES) mismatch(NAME, `${ROW_BYTES} bytes`, `${end - start}`);
}

function read(bytes: Bytes, start: number, end: number): Mean {
  check(start, end);
  const count = readInt64(bytes, start);
  const sum = bytes.readDoubleBE(start + 8);
  return { count, sum, mean: sum / count };
}

function write(count: number, sum: number, out: ByteWriter): void {
  if (!Number.isSafeInteger(count)) mismatchValue(`${NAME}.count`, 'a whole number', count);
  if (typeof sum !== 'number') mismatchValue(`${NAME}.sum`, 'a number', sum);
  out.int64(count);
  out.double(sum);
}

const CELLS: Cells<Mean> = {
  width: 2,
  row() {
    let cells = new Float64Array(2);
    let base = 0;
    const row = accessor(
      (place) => cells[base + place]!,
      (place, value) => {
        cells[base + place] = value;
      },
    );
    return (source, at) => {
      cells = source as Float64Array<ArrayBuffer>;
      base = at;
      return row;
    };
  },
  store(value, cells, base) {
    const { count, sum } = value;
    cells[base] = count;
    cells[base + 1] = sum;
  },
  encode: (cells, base, out) => write(cells[base]!, cells[base + 1]!, out),
  decode(bytes, start, end, cells, base) {
    check(start, end);
    cells[base] = readInt64(bytes, start);
    cells[base + 1] = bytes.readDoubleBE(start + 8);
  },
};

const MEAN: Serde<Mean> = {
  name: NAME,
  schema: NAME,
  decode: read,
  read,
  encode(value, out) {
    if (value === null || typeof value !== 'object') mismatchValue(NAME, 'a count and a sum', value);
    write(value.count, value.sum, out);
  },
  view() {
    let bytes: Bytes;
    let at = 0;
    const row = accessor((place) => (place === 0 ? readInt64(bytes, at) : bytes.readDoubleBE(at + 8)));
    return (source, start, end) => {
      check(start, end);
      bytes = source;
      at = start;
      return row;
    };
  },
  cells: CELLS,
};
