import type { Json } from '../../core/ids.ts';
import type { Continues, Next, NodeOutputs } from '../../events/events.ts';
import type { Graph } from '../graph.ts';
import { factsOf } from './facts.ts';
import { jsonBytes } from './json-bytes.ts';
import type { Effect, Header, Rows } from './lifecycle.ts';
import { MAX_STEP_BYTES } from './limits.ts';
import { isTerminal, keyOf, partsOf } from './row.ts';

/** What goes on from an execution, by its rows: a fork, or what follows a savepoint. */

/** The id of what goes on from a savepoint of an execution: there is no other of it. */
export function successor(header: Pick<Header, 'execution' | 'continues'>): string {
  return nameOf(continuesOf(header));
}

/** By whose id the segments of an execution are called: its own, or that of the first one that it goes on from. */
export function firstOf({ execution, continues }: Pick<Header, 'execution' | 'continues'>): string {
  return continues?.first ?? execution;
}

export function nameOf({ first, number }: Continues): string {
  return `${first}/~${number}`;
}

export function continuesOf({ execution, continues }: Pick<Header, 'execution' | 'continues'>): Continues {
  const { first, number } = continues ?? { first: execution, number: 1 };
  return { execution, first, number: number + 1 };
}

/**
 * What nodes at the top have put out that have completed, of those that the next graph has. What would be more than one
 * step may hold is left out, and runs again.
 */
export function outputsOf(rows: Rows, graph: Graph, has: (id: string) => boolean): NodeOutputs {
  const found: { [id: string]: { [port: string]: Json } } = {};
  let left = MAX_STEP_BYTES;
  for (const number of factsOf(graph).top) {
    const { id, outputs, standIn } = graph.nodes[number]!;
    // inner nodes have what the segment gives for them
    if (!has(id) || standIn >= 0 || rows.node(keyOf(number, ''))?.status !== 'COMPLETED') continue;
    const ports: { [port: string]: Json } = {};
    for (const port of new Set(['out', ...outputs])) {
      const value = rows.output(keyOf(number, ''), port);
      if (value !== undefined) ports[port] = value;
    }
    left -= jsonBytes(ports);
    if (left >= 0) found[id] = ports;
  }
  return found;
}

/** Segments that have begun, or had when the execution ended at its savepoint. */
export function begunSegments(
  rows: Rows,
  graph: Graph,
): readonly { readonly node: number; readonly iteration: string }[] {
  const found: { readonly node: number; readonly iteration: string }[] = [];
  for (const [key, { status, cause, attempt }] of rows.allNodes()) {
    const at = partsOf(key);
    const isOpen = !isTerminal(status) || cause === 'savepoint';
    const { kind } = graph.nodes[at.node]!.type.behaviour;
    if (kind === 'operator' && attempt > 0 && isOpen) found.push(at);
  }
  return found;
}

/** Executions that nodes at the top have started and that were kept at the savepoint, by what goes on from them. */
export function keptChildren(rows: Rows, graph: Graph): { readonly [node: string]: Continues } {
  const found: { [node: string]: Continues } = {};
  const { continues } = rows.header()!;
  for (const number of factsOf(graph).top) {
    const { id, type } = graph.nodes[number]!;
    const row = rows.node(keyOf(number, ''));
    if (type.behaviour.kind !== 'child' || row?.cause !== 'savepoint') continue;
    // one that had not gone on here is for whoever goes on from here
    const hasBegun = row.attempt > 0 || row.checkpoint !== null;
    const kept = hasBegun ? row.checkpoint?.value : continues?.children?.[id];
    if (kept != null) found[id] = kept as unknown as Continues;
  }
  return found;
}

/** The start of what goes on from a savepoint. */
export function continuation(rows: Rows, graph: Graph, { version, nodes }: Next): Extract<Effect, { effect: 'send' }> {
  const header = rows.header()!;
  const { workflow, input, mode, user, priority, deadline, labels } = header;
  const next = new Set(nodes);
  const pins = [...(header.hasPins ? rows.pins() : [])].filter(([id]) => next.has(id));
  const children = Object.entries(keptChildren(rows, graph)).filter(([id]) => next.has(id));
  const taken = children.length === 0 ? {} : { children: Object.fromEntries(children) };
  const command = {
    ...({ type: 'start', input, mode, user, priority, deadline, labels, idempotencyKey: null, parent: null } as const),
    ...{ select: null, forkOf: null, pins: pins.length === 0 ? null : Object.fromEntries(pins) },
    outputs: outputsOf(rows, graph, (id) => next.has(id)),
    continues: { ...continuesOf(header), ...taken },
  };
  return { effect: 'send', execution: successor(header), workflow: `${workflow}@${version}`, command };
}
