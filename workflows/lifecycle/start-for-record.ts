import type { Graph } from '../graph.ts';
import { runsAtTheEnd } from './close.ts';
import type { Command } from './command.ts';
import { factsOf } from './facts.ts';
import type { Rows } from './lifecycle.ts';
import { keyOf } from './row.ts';
import { tooDeep } from './too-deep.ts';

type Start = Extract<Command, { readonly type: 'start' }>;

export interface Unstarted {
  readonly code: string;
  readonly why: string;
}

/** The start of an execution for a record, with what it has of its parent; or why that starts none now. */
export function startForRecord(rows: Rows, graph: Graph, start: Start): Start | Unstarted {
  const { execution, node, iteration } = start.parent!;
  const header = rows.header();
  if (header === undefined || header.phase === 'ended')
    return { code: 'workflow.ended', why: `${execution} has ended` };
  const deep = tooDeep(execution);
  if (deep !== undefined) return { code: 'workflow.too-deep', why: `it ${deep}` };
  const { phase, mode, user, priority, labels, deadline } = header;
  if (phase === 'paused') return { code: 'workflow.paused', why: `${execution} is paused: nothing of it begins` };
  const isOver = phase !== 'running' && !runsAtTheEnd({ facts: factsOf(graph), graph }, { node, iteration });
  if (isOver || rows.node(keyOf(node, iteration))?.status !== 'RUNNING') {
    return { code: 'workflow.stale', why: `${graph.nodes[node]?.id} of ${execution} takes no records any more` };
  }
  const due = [deadline, start.deadline].filter((each) => each !== null);
  // a record is no stream: what is made of it has an end
  const bounded = mode === 'streaming' ? 'batch' : mode;
  return { ...start, mode: bounded, user, priority, labels, deadline: due.length === 0 ? null : Math.min(...due) };
}
