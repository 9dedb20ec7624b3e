import { Quantiles, quantileRow } from '../../schemas/schemas.ts';
import type { AnyAggregate } from '../add-aggregate.ts';
import type { QuantilesOptions } from './ready-options.ts';
import { adder, checked } from './taken.ts';

const DEFAULT_ERROR = 0.01;

/** Any quantile of numbers, with a bounded relative error: DDSketch. */
export function quantiles({ of, error, ...options }: QuantilesOptions<unknown, unknown>): AnyAggregate {
  const where = `quantiles of store ${options.store}`;
  return {
    ...options,
    value: quantileRow(error),
    initial: () => new Quantiles(error ?? DEFAULT_ERROR),
    add: adder(of, (row: Quantiles, value) => {
      row.add(checked(value, where));
      return undefined;
    }),
    mergeRows: (a: Quantiles, b: Quantiles) => {
      a.merge(b);
      return a;
    },
  };
}
