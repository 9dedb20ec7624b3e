import { createHash } from 'node:crypto';
import { messageOf } from '../../../core/errors.ts';
import type { Json } from '../../../core/ids.ts';
import type { FailureInfo, NodeStatus, StepEvent } from '../../../events/events.ts';
import type { Behaviour, Catalog, NodeType } from '../../catalog.ts';
import type { WorkflowDocument } from '../../document.ts';
import type { Graph, GraphNode, Template } from '../../graph.ts';
import type { Language } from '../../language.ts';
import {
  type Effect,
  type Header,
  type Lifecycle,
  type NodeRow,
  PENDING_ROW,
  type RunInline,
} from '../../lifecycle/lifecycle.ts';

/**
 * Enough of a language to run the control plane without the real one: graphs of inline nodes, tasks, delays and signals,
 * of which each node waits for all before it. A failed attempt is made again without a pause.
 */
export function smallLanguage(types: { readonly [name: string]: Behaviour }): Language {
  const catalog: Catalog = {
    types: Object.entries(types).map(([name, behaviour]) => nodeType(name, behaviour)),
    find(name) {
      return this.types.find((each) => each.name === name.split('@')[0]);
    },
  };
  return {
    catalog,
    validate: () => [],
    compile: (document) => compile(document as unknown as WorkflowDocument, catalog),
    patch: (graph) => graph,
    lifecycle: (runInline) => new SmallLifecycle(runInline),
    failure: (thrown, instance): FailureInfo => {
      return { class: 'TRANSIENT', code: 'thrown', message: messageOf(thrown), instance };
    },
  };
}

function nodeType(name: string, behaviour: Behaviour): NodeType {
  const example = { document: {}, input: null, output: null };
  return { name, version: 1, title: name, description: '', inputs: {}, outputs: {}, config: {}, behaviour, example };
}

function compile(document: WorkflowDocument, catalog: Catalog): Graph {
  const numbers = new Map(document.nodes.map(({ id }, i) => [id, i]));
  const edges = document.edges.map((edge, number) => ({
    ...{ number, source: numbers.get(edge.source)!, target: numbers.get(edge.target)! },
    ...{ sourcePort: 'out', targetPort: 'in', kind: 'data', when: null, map: null, removed: false },
  })) as unknown as Graph['edges'];
  const nodes = document.nodes.map(({ id, type, data }, number) => {
    const template: Template = { constant: true, reads: [], fill: () => data?.config ?? null };
    const touching = (end: 'source' | 'target') =>
      edges.filter((edge) => edge[end] === number).map((each) => each.number);
    return {
      ...{ number, id, type: catalog.find(type)!, config: data?.config ?? null, template, parent: -1 },
      ...{ incoming: touching('target'), outgoing: touching('source'), removed: false, priority: 5 },
    } as unknown as GraphNode;
  });
  return {
    document,
    hash: createHash('sha256').update(JSON.stringify(document)).digest('hex'),
    revision: 0,
    nodes,
    edges,
    roots: nodes.filter(({ incoming }) => incoming.length === 0).map(({ number }) => number),
    outputs: null,
    number: (id) => numbers.get(id),
  };
}

const NONE: { readonly [status in NodeStatus]: number } = {
  ...{ PENDING: 0, QUEUED: 0, RUNNING: 0, COMPLETED: 0, FAILED: 0, CANCELLED: 0 },
};

const NEW_ROW: NodeRow = {
  ...PENDING_ROW,
  attempt: 1,
};

class SmallLifecycle implements Lifecycle {
  readonly #runInline: RunInline;

  constructor(runInline: RunInline) {
    this.#runInline = runInline;
  }

  decide: Lifecycle['decide'] = (rows, graph, execution, command, envelope) => {
    const { at, cause } = envelope;
    const events: StepEvent[] = [];
    const effects: Effect[] = [];
    const before = rows.header();
    if (before?.lastCommands.includes(envelope.id)) return { record: undefined, effects, more: false };
    const seq = (before?.seq ?? 0) + 1;
    const head = { execution, seq, at, revision: 0, definition: graph.hash, cause };
    const emit = (event: StepEvent) => {
      events.push(event);
      this.evolve(rows, graph, head, event);
    };
    const move = (
      node: number,
      to: NodeStatus,
      why: 'inline' | 'succeeded' | 'retry' | 'slot-granted',
      attempt = 1,
    ) => {
      const from = rows.node(`${node}`)?.status ?? 'PENDING';
      emit({ type: 'node', node, iteration: '', attempt, from, to, cause: why });
    };
    const complete = (node: number, value: Json) => {
      emit({ type: 'output', node, iteration: '', port: 'out', value, bytes: JSON.stringify(value).length });
      move(node, 'COMPLETED', 'succeeded');
      const { outgoing } = graph.nodes[node]!;
      emit({ type: 'delivered', node, iteration: '', taken: outgoing, skipped: [] });
      for (const edge of outgoing) ready(graph.edges[edge]!.target);
    };
    const inputsOf = (node: number): Json => {
      const { incoming } = graph.nodes[node]!;
      if (incoming.length === 0) return rows.header()!.input;
      const values = incoming.map((edge) => rows.output(`${graph.edges[edge]!.source}`, 'out') ?? null);
      return values.length === 1 ? values[0]! : values;
    };
    const ready = (node: number) => {
      const { incoming, type, config } = graph.nodes[node]!;
      if ((rows.node(`${node}`)?.told.length ?? 0) < incoming.length) return;
      const { kind } = type.behaviour;
      if (kind === 'inline') {
        move(node, 'RUNNING', 'inline');
        const out = this.#runInline(
          graph.nodes[node]!,
          config,
          { in: inputsOf(node) },
          { ...head, iteration: '', attempt: 1 },
        );
        complete(node, out['out'] ?? null);
      } else if (kind === 'task') {
        move(node, 'QUEUED', 'inline');
        effects.push({ effect: 'queue', node, iteration: '', attempt: 1, priority: 5, deadline: null });
      } else {
        move(node, 'RUNNING', 'inline');
        if (kind === 'delay') {
          const due = at + Number((config as { readonly ms: number }).ms);
          emit({ type: 'timer-set', timer: 'delay', node, iteration: '', due, attempt: 1 });
          effects.push({ effect: 'set-timer', timer: 'delay', node, iteration: '', due, attempt: 1 });
          return;
        }
        const stored = rows.signal('go');
        if (stored === undefined) {
          emit({ type: 'waiting', on: 'signal', node, iteration: '', token: `${node}`, detail: null });
          return;
        }
        emit({ type: 'signal-taken', name: 'go', id: stored.id });
        complete(node, stored.payload);
      }
    };
    switch (command.type) {
      case 'start': {
        const { type: _, select: __, parent: ___, ...rest } = command;
        const { id: workflow, version } = graph.document;
        emit({ ...{ type: 'started', workflow, version, parent: null, selected: null, forkOf: null }, ...rest });
        for (const root of graph.roots) ready(root);
        break;
      }
      case 'grant': {
        const { node, attempt } = command;
        if (rows.node(`${node}`)?.status !== 'QUEUED') return { record: undefined, effects, more: false };
        move(node, 'RUNNING', 'slot-granted', attempt);
        const { config } = graph.nodes[node]!;
        effects.push({
          effect: 'run',
          node,
          iteration: '',
          attempt,
          inputs: { in: inputsOf(node) },
          config,
          resume: null,
        });
        break;
      }
      case 'report': {
        const { node, attempt, outcome } = command;
        const row = rows.node(`${node}`);
        if (row?.status !== 'RUNNING' || row.attempt !== attempt) {
          emit({ type: 'rejected', code: 'workflow.stale', why: 'another attempt runs' });
        } else if (outcome.ok) complete(node, outcome.outputs['out'] ?? null);
        else {
          move(node, 'PENDING', 'retry', attempt);
          move(node, 'QUEUED', 'retry', attempt + 1);
          effects.push({ effect: 'queue', node, iteration: '', attempt: attempt + 1, priority: 5, deadline: null });
        }
        break;
      }
      case 'timer':
        if (rows.node(`${command.node}`)?.status !== 'RUNNING') return { record: undefined, effects, more: false };
        complete(command.node, at);
        break;
      case 'signal': {
        const waiting = graph.nodes.find((each) => rows.node(`${each.number}`)?.wait != null);
        if (waiting === undefined)
          emit({ type: 'signal-stored', name: command.name, id: command.id, payload: command.payload });
        else complete(waiting.number, command.payload);
        break;
      }
      default:
        emit({ type: 'rejected', code: 'workflow.rejected', why: `no ${command.type} here` });
    }
    const { counts, phase } = rows.header()!;
    if (phase !== 'ended' && counts.COMPLETED === graph.nodes.length) {
      const lasts = graph.nodes.filter(({ outgoing }) => outgoing.length === 0);
      const output = Object.fromEntries(lasts.map(({ id, number }) => [id, rows.output(`${number}`, 'out') ?? null]));
      emit({ type: 'ended', status: 'COMPLETED', degraded: false, output, error: null });
      effects.push({ effect: 'ended' });
    }
    const header = rows.header()!;
    rows.putHeader({ ...header, seq, lastCommands: [...header.lastCommands, envelope.id].slice(-8) });
    return { record: { ...head, events }, effects, more: false };
  };

  evolve: Lifecycle['evolve'] = (rows, graph, head, event) => {
    const header = rows.header();
    switch (event.type) {
      case 'started': {
        const { workflow, version, mode, input, user, priority, deadline, labels, pins } = event;
        const made: Header = {
          ...{ execution: head.execution, workflow, version, definition: head.definition, revision: 0, seq: head.seq },
          ...{ status: 'RUNNING', phase: 'running', mode, input, user, priority, startedAt: head.at, deadline, labels },
          ...{ parent: null, selected: null, pins, counts: { ...NONE, PENDING: graph.nodes.length } },
          ...{ degraded: false, error: null, compensable: [], lastCommands: [] },
          ...{ listening: [], deferred: [], timers: [] },
        };
        return rows.putHeader(made);
      }
      case 'node': {
        const row = rows.node(`${event.node}`) ?? NEW_ROW;
        const { counts } = header!;
        const from = row.status;
        rows.putNode(`${event.node}`, { ...row, status: event.to, attempt: event.attempt, since: head.at, wait: null });
        const moved = { ...counts, [from]: counts[from] - 1 };
        return rows.putHeader({ ...header!, seq: head.seq, counts: { ...moved, [event.to]: moved[event.to] + 1 } });
      }
      case 'signal-stored':
        rows.putSignal({ name: event.name, id: event.id, payload: event.payload });
        return;
      case 'signal-taken':
        rows.takeSignal(event.name, event.id);
        return;
      case 'waiting':
        return rows.putNode(`${event.node}`, {
          ...rows.node(`${event.node}`)!,
          wait: { on: event.on, token: event.token },
        });
      case 'output':
        return rows.putOutput(`${event.node}`, event.port, event.value);
      case 'delivered':
        for (const edge of event.taken) {
          const { target } = graph.edges[edge]!;
          const row = rows.node(`${target}`) ?? NEW_ROW;
          rows.putNode(`${target}`, { ...row, told: [...row.told, edge], taken: [...row.taken, edge] });
        }
        return;
      case 'ended':
        return rows.putHeader({ ...header!, status: event.status, phase: 'ended', seq: head.seq });
      default:
    }
  };

  outstanding(): { readonly effects: readonly Effect[]; readonly more: boolean } {
    return { effects: [], more: false };
  }

  explain(): never {
    throw new Error('not here');
  }
}
