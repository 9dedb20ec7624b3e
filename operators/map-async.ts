import { CallsInFlight } from './calls-in-flight.ts';
import type { OperatorFactory } from './operators.ts';

/** What a function that takes time is told of its call. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly record: string;
}

type Fn = (value: unknown, key: unknown, call: Attempt) => unknown;

/** Each record with the value that its function answers, when it has answered; key, time and headers stay. */
export const createMapAsync: OperatorFactory<'mapAsync'> = (node, context, [next]) => {
  const fn = context.fn<Fn>('fn', node.fn);
  const { partition } = context;
  const calls: CallsInFlight = new CallsInFlight(
    {
      node: node.id,
      store: node.store,
      settings: node.calls,
      begin(inFlight, caller) {
        const { value, key, sequence } = inFlight;
        const record = `${partition}-${sequence}`;
        caller.start({
          begin: (attempt, signal) => fn(value, key, { signal, attempt, record }),
          done: (result) => calls.finish(inFlight, result),
          failed: (reason) => calls.fail(inFlight, reason),
        });
      },
      emit(record, result) {
        record.setValue(result);
        next!(record);
      },
    },
    context,
  );
  return { inputs: [(record) => calls.take(record)], start: () => calls.start(), held: () => calls.held() };
};
