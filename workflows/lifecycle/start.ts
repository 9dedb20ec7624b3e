import type { StepEvent } from '../../events/events.ts';
import type { Command } from './lifecycle.ts';
import { selectedNodes } from './select.ts';
import { beginSession } from './session-begin.ts';
import type { Step } from './step.ts';

type Start = Extract<Command, { readonly type: 'start' }>;
type Started = Extract<StepEvent, { readonly type: 'started' }>;

const NONE: readonly string[] = [];
const ALL = { selected: null };

export function start(step: Step, command: Start): void {
  const { graph } = step;
  const { input, user, priority, deadline, labels, idempotencyKey, parent, pins, forkOf } = command;
  const { id: workflow, version } = graph.document;
  // a child is told the mode of who started it, which is for documents that name none
  const mode = (parent === null ? undefined : graph.document.mode) ?? command.mode;
  const { outputs, continues } = command;
  const pinned = pins === null ? NONE : Object.keys(pins);
  const chosen =
    command.select === null
      ? ALL
      : selectedNodes(graph, command.select, new Set([...pinned, ...Object.keys(outputs ?? {})]));
  if ('unknown' in chosen) {
    step.head.seq = 0;
    step.events.push(unknownNode(chosen.unknown, workflow));
    return;
  }
  for (const id of pinned) {
    if (graph.number(id) !== undefined) continue;
    step.head.seq = 0;
    step.events.push(unknownNode(id, workflow));
    return;
  }
  const by =
    parent === null ? null : { execution: parent.execution, at: { node: parent.node, iteration: parent.iteration } };
  const { selected } = chosen;
  const own: Started = {
    type: 'started',
    workflow,
    version,
    input,
    mode,
    user,
    priority,
    deadline,
    labels,
    idempotencyKey,
    parent: by,
    selected,
    pins,
    forkOf,
  };
  const goneOn = outputs === undefined ? own : { ...own, outputs };
  step.emit(continues === undefined ? goneOn : { ...goneOn, continues });
  if (deadline !== null) step.setTimer({ node: -1, iteration: '' }, 'deadline', deadline, 0);
  if (!beginSession(step, command.session)) return;
  for (const node of step.facts.top) {
    if (graph.nodes[node]!.incoming.length === 0) step.work.push({ node, iteration: '' });
  }
}

function unknownNode(id: string, workflow: string) {
  const why = `workflow ${workflow} has no node ${id}`;
  return { type: 'rejected', code: 'workflow.unknown-node', why } as const;
}
