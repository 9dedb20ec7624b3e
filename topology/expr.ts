import { FlowError } from '../core/errors.ts';
import { compileExpression, type Expression } from '../expressions/expressions.ts';
import type { CodeRef } from './plan.ts';

/** A function that is written as an expression: taken wherever a function of records is. */
// biome-ignore lint/suspicious/noExplicitAny: what it is given is known where it is put, not where it is written.
export type Expr<R> = (...args: any[]) => R;

const sources = new WeakMap<object, string>();

/**
 * A function as an expression, in place of a lambda: `stream.filter(expr('value.total > 100'))`. It stands in the plan as
 * it is written, so that equal topologies are equal plans down to it, and a document can say the same. Which variables
 * there are goes by the place: `value` and `key` for functions of a record; docs/expressions.md lists the others. The
 * compiler does not look into it, `build()` does.
 */
export function expr<R>(source: string): Expr<R> {
  let expression: Expression<R> | undefined;
  // called itself only by what wraps it, such as ready aggregates
  const fn = (value: unknown, key: unknown): R => {
    expression ??= ownExpression<R>(source);
    return expression.evaluate({ value: value ?? null, key: key ?? null });
  };
  sources.set(fn, source);
  return fn;
}

function ownExpression<R>(source: string): Expression<R> {
  const { expression, faults } = compileExpression<R>(source, { scope: { value: 'dyn', key: 'dyn' } });
  if (expression !== undefined) return expression;
  const told = faults.map(({ message, cure }) => `${message}. ${cure}`).join('; ');
  throw new FlowError('plan.invalid', `the expression ${source}: ${told}`);
}

/** The reference that stands for an expression in a plan, or `undefined` where the code is none. */
export function refOfExpression(code: unknown): CodeRef | undefined {
  const source = typeof code === 'function' ? sources.get(code) : undefined;
  return source === undefined ? undefined : `= ${source}`;
}

export function isExpression(ref: CodeRef): boolean {
  return ref.startsWith('=');
}

export function sourceOfExpression(ref: CodeRef): string {
  return ref.slice(ref.startsWith('= ') ? 2 : 1);
}
