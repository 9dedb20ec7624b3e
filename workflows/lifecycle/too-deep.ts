import { MAX_CHILD_DEPTH } from './limits.ts';

/** Why nothing may begin within an execution, said of what would; what goes on from a savepoint is no deeper than before. */
export function tooDeep(execution: string): string | undefined {
  const depth = execution.split('/').filter((part) => !part.startsWith('~')).length;
  if (depth <= MAX_CHILD_DEPTH) return undefined;
  return `would be the execution number ${depth} within each other: a workflow that starts itself has to end`;
}
