import { type Bytes, type ByteWriter, unzigzag, zigzag } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';
import { type Bins, Quantiles } from './sketches/quantiles.ts';
import { Varints } from './varints.ts';

/** The layout. */
const VERSION = 1;

/**
 * Rows that answer quantiles with this relative error. A byte for the version, the least and the largest number as
 * doubles, then varints: how many zeros, and for each sign how many bins there are, the first one's index (zigzag), how far each
 * further one is from the one before, and the counts in between.
 */
export function quantileRow(error = 0.01): Serde<Quantiles> {
  if (!(error >= 0.0001 && error <= 0.5)) {
    throw new FlowError('schema.invalid', `quantileRow: the error must be 0.0001 to 0.5, not ${error}`);
  }
  const name = `quantiles(${error})`;

  function read(bytes: Bytes, start: number, end: number): Quantiles {
    const made = new Quantiles(error);
    if (end - start < 20 || bytes[start] !== VERSION) mismatch(name, 'a sketch of version 1', 'other bytes');
    made.min = bytes.readDoubleBE(start + 1);
    made.max = bytes.readDoubleBE(start + 9);
    const varints = new Varints(name, bytes, start + 17, end);
    made.zeros = varints.next();
    made.count = made.zeros + readBins(made.negative, varints) + readBins(made.positive, varints);
    varints.finish();
    return made;
  }

  return {
    name,
    schema: name,
    decode: read,
    read,
    encode(value, out) {
      if (!(value instanceof Quantiles)) mismatchValue(name, 'Quantiles', value);
      if (value.error !== error) mismatch(name, `the error ${error}`, `${value.error}`);
      out.byte(VERSION);
      out.double(value.min);
      out.double(value.max);
      out.varint(value.zeros);
      writeBins(value.negative, out);
      writeBins(value.positive, out);
    },
    view: () => read,
    cells: undefined,
  };
}

function writeBins({ indexes, counts }: Bins, out: ByteWriter): void {
  out.varint(indexes.length);
  let before = 0;
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i]!;
    out.varint(i === 0 ? zigzag(index) : index - before);
    out.varint(counts[i]!);
    before = index;
  }
}

/** Answers the sum of the counts. */
function readBins(bins: Bins, varints: Varints): number {
  const length = varints.next();
  let index = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    index = i === 0 ? unzigzag(varints.next()) : index + varints.next();
    const count = varints.next();
    bins.indexes.push(index);
    bins.counts.push(count);
    sum += count;
  }
  return sum;
}
