import { FlowError } from '../../core/errors.ts';
import type { ReadyOptions } from './ready-options.ts';

type Of<R> = ReadyOptions<unknown, unknown, R>['of'];

type Add<A> = (aggregate: A, value: unknown, key: unknown) => A | undefined;

/** Adds what `of` takes of a record; nothing where it answers nothing. A key that it does not ask for is not decoded. */
export function adder<A, R>(of: Of<R>, add: (aggregate: A, value: R) => A | undefined): Add<A> {
  const step = (aggregate: A, next: R | null | undefined) =>
    next === null || next === undefined ? undefined : add(aggregate, next);
  // Functions that declare one parameter are given the value alone.
  if (of.length === 1) {
    const alone = of as (value: unknown) => R | null | undefined;
    return (aggregate: A, value: unknown) => step(aggregate, alone(value));
  }
  return (aggregate, value, key) => step(aggregate, of(value, key));
}

/** A number that can be reckoned with, or an error that says where none was answered. */
export function checked(value: number, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new FlowError(
    'record.failed',
    `${where}: its function answered ${String(value)}; answer a finite number, or nothing`,
  );
}
