import { type Mean, meanRow } from '../../schemas/schemas.ts';
import type { AnyAggregate } from '../add-aggregate.ts';
import type { ReadyOptions } from './ready-options.ts';
import { adder, checked } from './taken.ts';

/** Count, sum and mean of numbers; the mean of none is NaN. */
export function mean({ of, ...options }: ReadyOptions<unknown, unknown, number>): AnyAggregate {
  const where = `mean of store ${options.store}`;
  return {
    ...options,
    value: meanRow(),
    initial: () => ({ count: 0, sum: 0, mean: Number.NaN }),
    add: adder(of, (row: Mean, value) => {
      row.count++;
      row.sum += checked(value, where);
      return undefined;
    }),
    mergeRows: (a: Mean, b: Mean) => {
      const sum = a.sum + b.sum;
      const count = a.count + b.count;
      return { count, sum, mean: sum / count };
    },
  };
}
