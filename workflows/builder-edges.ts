import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { Joined, Output, Source } from './builder-types.ts';
import { usualId } from './canonical.ts';
import type { EdgeSpec, JoinSpec } from './document.ts';

/** An output of a node; conditions and maps make another one of it. */
export function builtOutput<T, Id extends string, Sure extends boolean>(
  node: Id,
  port: string,
  data: EdgeSpec['data'] = undefined,
): Output<T, Id, Sure> {
  return {
    node,
    port,
    data,
    when: (condition) => builtOutput(node, port, { ...data, when: condition }),
    map: (fields) => builtOutput(node, port, { ...data, map: fields as { readonly [name: string]: Json } }),
  };
}

/** The edges of a node's wiring, and the join that it asks for. */
export function edgesOf(
  target: string,
  wiring: { readonly [port: string]: Source<unknown> | undefined },
  after: readonly Output<unknown>[],
  parent: string | undefined,
): { readonly edges: readonly EdgeSpec[]; readonly join: JoinSpec | undefined } {
  const edges: EdgeSpec[] = [];
  let join: JoinSpec | undefined;
  for (const [port, source] of Object.entries(wiring)) {
    if (source === undefined) continue;
    if (isJoined(source) && source.join !== 'all') {
      if (join !== undefined) {
        throw new FlowError(
          'workflow.invalid',
          `${target} joins two inputs in ways of their own: put a merge before one`,
        );
      }
      join = source.join;
    }
    for (const one of isJoined(source) ? source.sources : [source]) {
      if (one.node !== '') edges.push(edgeOf(one, target, port));
      else if (isJoined(source) || parent !== undefined || port !== 'in') {
        const cure = 'read it by expressions, as `input`';
        throw new FlowError(
          'workflow.invalid',
          `the input arrives by itself at first nodes alone, not at ${target}: ${cure}`,
        );
      }
    }
  }
  for (const one of after) edges.push(controlEdge(one, target));
  return { edges, join };
}

function isJoined(source: Source<unknown>): source is Joined<unknown> {
  return 'sources' in source;
}

function edgeOf({ node, port, data }: Output<unknown>, target: string, targetPort: string): EdgeSpec {
  const ends = {
    source: node,
    ...(port === 'out' ? {} : { sourceHandle: port }),
    target,
    ...(targetPort === 'in' ? {} : { targetHandle: targetPort }),
  };
  return { id: usualId(ends), ...ends, ...(data === undefined ? {} : { data }) };
}

function controlEdge({ node, port, data }: Output<unknown>, target: string): EdgeSpec {
  const when = data?.when === undefined ? {} : { when: data.when };
  const handle = port === 'out' ? {} : { sourceHandle: port };
  return { id: `${node}.${port}>${target}`, source: node, ...handle, target, data: { kind: 'control', ...when } };
}
