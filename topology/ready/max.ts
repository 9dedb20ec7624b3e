import type { AnyAggregate } from '../add-aggregate.ts';
import { numberAggregate } from './number-aggregate.ts';
import type { ReadyOptions } from './ready-options.ts';

/** The largest number; -Infinity of none. */
export function max(options: ReadyOptions<unknown, unknown, number>): AnyAggregate {
  return numberAggregate(options, { name: 'max', nothing: Number.NEGATIVE_INFINITY, fold: Math.max });
}
