import { FlowError } from '../../core/errors.ts';
import { addTop, type TopItem, topRow } from '../../schemas/schemas.ts';
import type { AnyAggregate } from '../add-aggregate.ts';
import type { TopOptions } from './ready-options.ts';
import { checked } from './taken.ts';

/** The k items with the largest scores, one for each id, largest first. */
export function topK({ k, id, score, ...options }: TopOptions<unknown, unknown>): AnyAggregate {
  const where = `topK of store ${options.store}`;
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new FlowError('plan.invalid', `${where}: k is ${k}; say a whole number above 0`);
  }
  return {
    ...options,
    value: topRow(),
    initial: (): TopItem[] => [],
    add: (items: TopItem[], value: unknown, key: unknown) => {
      const points = score(value, key);
      if (points !== null && points !== undefined) addTop(items, id(value, key), checked(points, where), k);
      return undefined;
    },
    mergeRows: (a: TopItem[], b: TopItem[]) => {
      for (const item of b) addTop(a, item.id, item.score, k);
      return a;
    },
  };
}
