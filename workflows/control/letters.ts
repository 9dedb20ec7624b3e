import type { Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { StoredMark } from '../../runtime/runtime.ts';
import type { Graph } from '../graph.ts';
import type { Effect } from '../lifecycle/lifecycle.ts';
import type { DeadLetter } from './messages.ts';

/** What is kept of a node that was given up. */
export function letterOf(
  { id, node, iteration, attempt, reason, error, input }: Extract<Effect, { effect: 'dead-letter' }>,
  execution: string,
  graph: Graph,
  at: Millis,
): DeadLetter {
  const { class: kind, code, message } = error;
  const named = { execution, workflow: graph.document.id, node: graph.nodes[node]!.id };
  return { id, ...named, iteration, reason, input, at, class: kind, code, message, attempt };
}

/** Of the letters that a step has redriven: who did it and when, in the transaction of the step. */
export function marksOf({ at, cause, events }: StepRecord): readonly (readonly [letter: string, mark: StoredMark])[] {
  if (!events.some(({ type }) => type === 'redriven')) return NONE;
  const by = cause.kind === 'command' ? cause.by : null;
  const mark: StoredMark = { form: 1, at, by, to: null, times: 1, topicId: null, ids: [] };
  return events.flatMap((event) => (event.type === 'redriven' ? [[event.id, mark] as const] : []));
}

const NONE: readonly never[] = [];
