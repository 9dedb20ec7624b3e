import { FlowError, isFlowError, messageOf } from '../core/errors.ts';

/** What is thrown where the module at `path` could not be imported: `file.broken`, or what the module says in our words. */
export function unloadable(path: string, thrown: unknown): FlowError {
  if (isFlowError(thrown)) return thrown;
  const first = thrown instanceof SyntaxError ? (thrown.stack ?? '').split('\n', 1)[0]! : '';
  const place = /^file:.*:\d+$/.test(first) ? ` at ${first}` : '';
  const text = `${path} cannot be loaded: ${messageOf(thrown)}${place}; correct the module`;
  return new FlowError('file.broken', text, { cause: thrown });
}
