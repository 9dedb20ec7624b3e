import { type Countable, DistinctCount, distinctRow, precisionFor } from '../../schemas/schemas.ts';
import type { AnyAggregate } from '../add-aggregate.ts';
import type { DistinctOptions } from './ready-options.ts';
import { adder } from './taken.ts';

/** 4096 registers. */
const DEFAULT_PRECISION = 12;

/** About how many different values there were: HyperLogLog. */
export function distinctCount({ of, error, ...options }: DistinctOptions<unknown, unknown>): AnyAggregate {
  const precision = error === undefined ? DEFAULT_PRECISION : precisionFor(error);
  return {
    ...options,
    value: distinctRow(precision),
    initial: () => DistinctCount.empty(precision),
    add: adder(of, (row: DistinctCount, value: Countable) => {
      row.add(value);
      return undefined;
    }),
    mergeRows: (a: DistinctCount, b: DistinctCount) => {
      a.merge(b);
      return a;
    },
  };
}
