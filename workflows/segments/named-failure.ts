import { FlowError } from '../../core/errors.ts';
import { RecordError } from '../../runtime/runtime.ts';
import type { Graph } from '../graph.ts';

/**
 * What a run of a segment failed with, in words of the document: a failure on a record names the node that the plan's
 * node is of, with that beside it.
 */
export function namedFailure(thrown: unknown, graph: Graph, owners: ReadonlyMap<string, string>): unknown {
  if (!(thrown instanceof RecordError)) return thrown;
  const { code, nodes, what, reason, cause } = thrown;
  const ids = [...new Set(nodes.flatMap((node) => owners.get(node) ?? []))];
  const [id] = ids;
  if (id === undefined) return thrown;
  const who = ids.length === 1 ? `node ${id}` : `one of the nodes ${ids.join(', ')}`;
  const place = nodes.length === 1 ? ` (${nodes[0]} of its plan)` : '';
  const cure = "correct it, or let such records become dead letters by the policy onError 'dead-letter'";
  const error = new FlowError(code, `${who} failed on ${what}${place}: ${reason}; ${cure}`, { cause });
  return ids.length === 1 ? failedIn(error, graph, id) : error;
}

/** Says of an error in which node of the document it arose. */
export function failedIn(thrown: unknown, graph: Graph, node: string): unknown {
  if (typeof thrown !== 'object' || thrown === null) return thrown;
  return Object.assign(thrown, { [FAILED_IN]: graph.number(node) });
}

/** The number of the node of the document in which an error arose, where that is known. */
export function failedNode(thrown: unknown): number | undefined {
  return typeof thrown === 'object' && thrown !== null ? (thrown as { [FAILED_IN]?: number })[FAILED_IN] : undefined;
}

const FAILED_IN = Symbol('node');
