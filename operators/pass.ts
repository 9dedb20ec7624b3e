import type { NodeOf } from '../topology/plan.ts';
import type { Operator, OperatorContext, Push } from './operators.ts';

type PassKind = 'arm' | 'late' | 'merge' | 'toStream' | 'suppress';

/**
 * Nodes that change nothing: an arm of a branch, a merge, a table seen as a stream, a suppress, which hangs on the port
 * of its aggregate's final results, and the late records of a node, which hang on a port of theirs. Their inputs are the next operator's own push, so they cost nothing.
 */
export function createPass(node: NodeOf<PassKind>, _context: OperatorContext, next: readonly Push[]): Operator {
  return { inputs: node.inputs.map(() => next[0]!) };
}
