import type { AnyAggregate } from '../add-aggregate.ts';
import { numberAggregate } from './number-aggregate.ts';
import type { ReadyOptions } from './ready-options.ts';

/** The least number; Infinity of none. */
export function min(options: ReadyOptions<unknown, unknown, number>): AnyAggregate {
  return numberAggregate(options, { name: 'min', nothing: Number.POSITIVE_INFINITY, fold: Math.min });
}
