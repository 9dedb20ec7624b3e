import type { Bytes } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';
import { DistinctCount, isDistinctCount } from './sketches/distinct-count.ts';

const LEAST = 4;
const MOST = 16;

/** Rows that count different values, with `2^precision` registers: a standard error of `1.04 / sqrt(2^precision)`. */
export function distinctRow(precision = 12): Serde<DistinctCount> {
  if (!Number.isSafeInteger(precision) || precision < LEAST || precision > MOST) {
    throw new FlowError('schema.invalid', `distinctRow: the precision must be ${LEAST} to ${MOST}, not ${precision}`);
  }
  const name = `distinct(${precision})`;

  function check(bytes: Bytes, start: number, end: number): void {
    if (!isDistinctCount(bytes, start, end, precision)) mismatch(name, 'registers', `${end - start} other bytes`);
  }
  function read(bytes: Bytes, start: number, end: number): DistinctCount {
    check(bytes, start, end);
    return new DistinctCount().moveTo(Buffer.from(bytes.subarray(start, end)), 0, end - start);
  }

  return {
    name,
    schema: name,
    decode: read,
    read,
    encode(value, out) {
      if (!(value instanceof DistinctCount)) mismatchValue(name, 'a DistinctCount', value);
      if (value.precision !== precision) mismatch(name, `precision ${precision}`, `${value.precision}`);
      const { bytes } = value;
      out.copy(bytes, 0, bytes.length);
    },
    view() {
      const view = new DistinctCount();
      return (bytes, start, end) => {
        check(bytes, start, end);
        return view.moveTo(bytes, start, end);
      };
    },
    cells: undefined,
  };
}

/** The least precision whose standard error is at most this. */
export function precisionFor(error: number): number {
  const precision = Math.ceil(2 * Math.log2(1.04 / error));
  if (!(precision <= MOST)) {
    throw new FlowError(
      'plan.invalid',
      `a standard error of ${error} cannot be had when different values are counted: give one of 0.0041 or more, as 0.016`,
    );
  }
  return Math.max(LEAST, precision);
}
