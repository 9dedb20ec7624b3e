import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { AnyOf, ById, InputPort, Joined, Output, Passed, Step, SureOf } from './builder-types.ts';
import type { JoinSpec } from './document.ts';

/** What nodes may be, for the builder: one function for each type of the catalog. */

/** An input of the workflow. The schema is what callers are held to, the type is what TypeScript sees. */
export function port<T>(
  options: { readonly schema?: Json; readonly optional?: boolean; readonly default?: Json } = {},
): InputPort<T> {
  return options;
}

/** A node of any type of the catalog, with ports as you say. */
export function step<Ins = { in: unknown }, Outs = { out: unknown }, Branches extends boolean = false>(
  type: string,
  config: { readonly [name: string]: Json } = {},
): Step<Ins, Outs, Branches> {
  return { type, config };
}

/** Makes a `T`: JSON in which strings that begin with `=` are expressions. */
export function expression<T>(value: Json): Step<{ in: unknown }, { out: T }> {
  return step('expression', { value });
}

/** Calls a function of the program, pure and quick. Without `argument` it is given what arrives. */
export function call<Out, In = unknown>(
  name: string,
  options: { readonly argument?: Json } = {},
): Step<{ in: In }, { out: Out }> {
  return step('function', { name, ...options });
}

/** Calls a function of the program that takes time. Without `argument` it is given what arrives. */
export function task<Out, In = unknown>(
  name: string,
  options: { readonly argument?: Json } = {},
): Step<{ in: In }, { out: Out }> {
  return step('task', { name, ...options });
}

/** Waits for a span, or until a time, and puts out what arrived. */
export function delay(
  options: { readonly for: string } | { readonly until: string | number },
): Step<{ in: unknown }, { out: Passed }> {
  return step('delay', { ...options });
}

/** Waits for a signal, and puts out what it brings. */
export function signal<T>(name: string): Step<{ in: unknown }, { out: T }> {
  return step('wait.signal', { name });
}

/** Waits for somebody to decide, and puts out the value of the answer. */
export function approval<T>(options: {
  readonly title: string;
  readonly description?: string;
  readonly assignees?: readonly string[];
  readonly form?: Json;
  readonly escalateAfter?: string;
}): Step<{ in: unknown }, { approved: T; rejected: T }, true> {
  return step('wait.human', { ...options });
}

/** Sends what arrives on at the port of the first case that holds, or at `else`. */
export function choose<Port extends string>(
  cases: {
    readonly [port in Port]: string;
  },
): Step<{ in: unknown }, { [port in Port | 'else']: Passed }, true> {
  const list = Object.entries<string>(cases).map(([name, when]) => ({ port: name, when }));
  return step('switch', { cases: list });
}

/** Puts out what arrives, from one branch or several. */
export function merge(): Step<{ in: unknown }, { out: Passed }> {
  return step('merge');
}

/** Runs another workflow, and puts out what it answers. Without `input` it is given what arrives. */
export function child<Out, In = unknown>(
  workflow: string,
  options: { readonly version?: string; readonly input?: Json } = {},
): Step<{ in: In }, { out: Out }> {
  return step('workflow', { workflow, ...options });
}

/** Waits until each has come or is skipped: an object by node id. */
export function all<const S extends readonly Output<unknown>[]>(...sources: S): Joined<ById<S>, SureOf<S>> {
  return joined('all', sources);
}

/** The first that comes. */
export function first<const S extends readonly Output<unknown>[]>(...sources: S): Joined<AnyOf<S>, SureOf<S>> {
  return joined('any', sources);
}

/** Waits until each has come, failed or been skipped: an object by node id of what came. */
export function allDone<const S extends readonly Output<unknown>[]>(...sources: S): Joined<Partial<ById<S>>, true> {
  return joined('all-done', sources);
}

/** The first so many that come: an object by node id. */
export function atLeast<const S extends readonly Output<unknown>[]>(
  count: number,
  ...sources: S
): Joined<Partial<ById<S>>, false> {
  return joined({ atLeast: count }, sources);
}

/** When all have told their outcome, and a condition over outcomes holds: `a.succeeded && b.failed`. */
export function joinWhen<const S extends readonly Output<unknown>[]>(
  when: string,
  ...sources: S
): Joined<Partial<ById<S>>, false> {
  return joined({ when }, sources);
}

function joined<T, Sure extends boolean>(join: JoinSpec, sources: readonly Output<unknown>[]): Joined<T, Sure> {
  if (sources.length < 2) {
    throw new FlowError('workflow.invalid', 'a join takes two outputs or more: give a single one as it is');
  }
  return { join, sources };
}
