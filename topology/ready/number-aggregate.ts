import { double } from '../../schemas/schemas.ts';
import type { AnyAggregate } from '../add-aggregate.ts';
import type { ReadyOptions } from './ready-options.ts';
import { adder, checked } from './taken.ts';

interface Fold {
  readonly name: string;
  /** The aggregate of no numbers. */
  readonly nothing: number;
  /** Of two aggregates too, where windows merge. */
  fold(aggregate: number, value: number): number;
}

/** An aggregate that is one number, folded from numbers in any order. */
export function numberAggregate(
  { of, ...options }: ReadyOptions<unknown, unknown, number>,
  { name, nothing, fold }: Fold,
): AnyAggregate {
  const where = `${name} of store ${options.store}`;
  return {
    ...options,
    value: double(),
    initial: () => nothing,
    add: adder(of, (row: number, value) => fold(row, checked(value, where))),
    mergeRows: fold,
  };
}
