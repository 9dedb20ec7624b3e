import type { AnyAggregate } from '../add-aggregate.ts';
import { numberAggregate } from './number-aggregate.ts';
import type { ReadyOptions } from './ready-options.ts';

/** The sum, in double precision. */
export function sum(options: ReadyOptions<unknown, unknown, number>): AnyAggregate {
  return numberAggregate(options, { name: 'sum', nothing: 0, fold: (a, b) => a + b });
}
