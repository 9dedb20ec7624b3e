import { AnswerCache } from './answer-cache.ts';
import type { Caller } from './calls.ts';
import { CallsInFlight, type InFlight } from './calls-in-flight.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

type Fn = (key: unknown, value: unknown, call: { readonly signal: AbortSignal; readonly attempt: number }) => unknown;
type Merge = (value: unknown, row: unknown, key: unknown) => unknown;

/**
 * Each record with the row that a function answers for its key. An answer is kept for a while, also that there is no
 * row; records of a key whose answer is on its way wait for that one answer. A record whose answer is known goes on at
 * once where the order lets it. The cache is in memory alone: a task that is opened anew asks again.
 *
 * Null values and null keys are treated as by the join with a table: see `join-table.ts`.
 */
export const createLookup: OperatorFactory<'lookup'> = (node, context, [next]) => {
  const fn = context.fn<Fn>('fn', node.fn);
  const merge = context.fn<Merge>('merge', node.merge);
  const left = node.how === 'left';
  const cache = new AnswerCache(node.cache);
  /** Who waits for the answer of a key. */
  const asked = new Map<string, InFlight[]>();
  const out = new Rec();

  const calls: CallsInFlight = new CallsInFlight(
    { node: node.id, store: node.store, settings: node.calls, begin, emit },
    context,
  );

  function emit(record: Rec, row: unknown): void {
    if (row === null && !left) return;
    const value = merge(record.value, row, record.key);
    out.takeKey(record);
    out.setValue(value);
    next!(out);
  }

  function begin(inFlight: InFlight, caller: Caller): void {
    const { keyText, key, value } = inFlight;
    const known = keyText === undefined ? null : cache.find(keyText, caller.now());
    if (keyText === undefined || known !== undefined) {
      calls.finish(inFlight, known);
      return;
    }
    const others = asked.get(keyText);
    if (others !== undefined) {
      others.push(inFlight);
      return;
    }
    const waiting = [inFlight];
    asked.set(keyText, waiting);
    caller.start({
      begin: (attempt, signal) => fn(key, value, { signal, attempt }),
      done(answer) {
        const row = answer ?? null;
        asked.delete(keyText);
        cache.keep(keyText, row, caller.now());
        for (const each of waiting) calls.finish(each, row);
      },
      failed(reason) {
        asked.delete(keyText);
        for (const each of waiting) calls.fail(each, reason);
      },
    });
  }

  function push(record: Rec): void {
    if (record.valueIsNull) {
      context.drop('null-value', record);
      return;
    }
    if (record.keyIsNull && !left) {
      context.drop('null-key', record);
      return;
    }
    const key = calls.keyText(record);
    const known = key === undefined ? null : cache.find(key, calls.caller.now());
    if (known !== undefined && calls.mayPass(key)) emit(record, known);
    else calls.take(record);
  }

  return { inputs: [push], start: () => calls.start(), held: () => calls.held() };
};
