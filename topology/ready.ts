import { FlowError } from '../core/errors.ts';
import {
  addTop,
  type Countable,
  DistinctCount,
  distinctRow,
  double,
  type Mean,
  meanRow,
  precisionFor,
  Quantiles,
  quantileRow,
  type TopItem,
  topRow,
} from '../schemas/schemas.ts';
import type { AnyAggregate } from './add-aggregate.ts';
import type { DistinctOptions, QuantilesOptions, ReadyOptions, TopOptions } from './ready-options.ts';
import type { Place } from './wire.ts';

type Of<R> = ReadyOptions<unknown, unknown, R>['of'];

type Add<A> = (aggregate: A, value: unknown, key: unknown) => A | undefined;

/** Aggregates that are there already, for every handle that aggregates. */
export abstract class ReadyAggregates {
  abstract aggregate(options: AnyAggregate): Place;

  sum(options: ReadyOptions<unknown, unknown, number>): Place {
    const merge = (a: number, b: number) => a + b;
    return this.#numbers(options, 'sum', 0, (sum, value) => sum + value, merge);
  }

  min(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.#numbers(options, 'min', Number.POSITIVE_INFINITY, Math.min, Math.min);
  }

  max(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.#numbers(options, 'max', Number.NEGATIVE_INFINITY, Math.max, Math.max);
  }

  mean({ of, ...options }: ReadyOptions<unknown, unknown, number>): Place {
    const where = `mean of store ${options.store}`;
    return this.aggregate({
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
    });
  }

  distinctCount({ of, error, ...options }: DistinctOptions<unknown, unknown>): Place {
    const precision = error === undefined ? DEFAULT_PRECISION : precisionFor(error);
    return this.aggregate({
      ...options,
      value: distinctRow(precision),
      initial: () => DistinctCount.empty(precision),
      add: adder(of, (row: DistinctCount, value: Countable) => {
        row.add(value);
        return undefined;
      }),
      mergeRows: merged,
    });
  }

  quantiles({ of, error, ...options }: QuantilesOptions<unknown, unknown>): Place {
    const value = quantileRow(error);
    const where = `quantiles of store ${options.store}`;
    return this.aggregate({
      ...options,
      value,
      initial: () => new Quantiles(error ?? DEFAULT_ERROR),
      add: adder(of, (row: Quantiles, next) => {
        row.add(checked(next, where));
        return undefined;
      }),
      mergeRows: merged,
    });
  }

  topK({ k, id, score, ...options }: TopOptions<unknown, unknown>): Place {
    if (!Number.isSafeInteger(k) || k < 1) {
      throw new FlowError('plan.invalid', `topK of store ${options.store}: k is ${k}; say a whole number above 0`);
    }
    const where = `topK of store ${options.store}`;
    return this.aggregate({
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
    });
  }

  #numbers(
    { of, ...options }: ReadyOptions<unknown, unknown, number>,
    what: string,
    nothing: number,
    fold: (row: number, value: number) => number,
    merge: (a: number, b: number) => number,
  ): Place {
    const where = `${what} of store ${options.store}`;
    const initial = () => nothing;
    const add = adder(of, (row: number, value) => fold(row, checked(value, where)));
    return this.aggregate({ ...options, value: double(), initial, add, mergeRows: merge });
  }
}

/** 4096 registers. */
const DEFAULT_PRECISION = 12;
const DEFAULT_ERROR = 0.01;

function merged<A extends { merge(other: A): void }>(a: A, b: A): A {
  a.merge(b);
  return a;
}

/** Nothing is added where `of` answers nothing. A key that it does not ask for is not decoded. */
function adder<A, R>(of: Of<R>, add: (aggregate: A, value: R) => A | undefined): Add<A> {
  const step = (aggregate: A, next: R | null | undefined) =>
    next === null || next === undefined ? undefined : add(aggregate, next);
  // Functions that declare one parameter are given the value alone.
  if (of.length === 1) {
    const alone = of as (value: unknown) => R | null | undefined;
    return (aggregate: A, value: unknown) => step(aggregate, alone(value));
  }
  return (aggregate, value, key) => step(aggregate, of(value, key));
}

function checked(value: number, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new FlowError(
    'record.failed',
    `${where}: its function answered ${String(value)}; answer a finite number, or nothing`,
  );
}
