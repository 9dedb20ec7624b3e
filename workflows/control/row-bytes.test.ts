import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import { encodeStep, type StepRecord } from '../../events/events.ts';
import { type Command, createLifecycle, type Effect } from '../lifecycle/lifecycle.ts';
import { buildGraph, type GraphSpec } from '../lifecycle/testing/build-graph.ts';
import { failure, START, type StartCommand } from '../lifecycle/testing/harness.ts';
import { MemoryStore } from './memory-rows.ts';
import { StoredRows } from './stored-rows.ts';

/** A store that counts what is written to it. */
class CountingStore extends MemoryStore {
  bytes = 0;

  override put(key: string, value: Json): void {
    this.bytes += key.length + JSON.stringify(value).length;
    super.put(key, value);
  }
}

interface Written {
  readonly transitions: number;
  /** Of rows of the store, and of step records. */
  readonly rows: number;
  readonly records: number;
}

/** Runs a graph of tasks, one command after the other, as the coordinator does: rows are read and written anew in each step. */
function written(spec: GraphSpec, start: Partial<StartCommand>): Written {
  const graph = buildGraph(spec);
  const lifecycle = createLifecycle({
    runInline: () => ({ out: 1 }),
    ...{ failure, patch: () => [] },
  });
  const store = new CountingStore();
  let [records, transitions, at, ids] = [0, 0, 1_000_000, 0];
  const open: Command[] = [{ ...START, input: 1, ...start }];
  const count = (record: StepRecord): void => {
    records += encodeStep(record).length;
    for (const event of record.events) if (event.type === 'node') transitions++;
  };
  for (let command = open.shift(); command !== undefined; command = open.shift()) {
    const rows = new StoredRows(store, 'x');
    const id = `c${ids++}`;
    const cause = { kind: 'command', type: command.type, id, by: null } as const;
    const { record, effects, more } = lifecycle.decide(rows, graph, 'x', command, { id, by: null, at: at++, cause });
    if (record !== undefined) count(record);
    rows.flush(at);
    open.push(...effects.flatMap(answered));
    if (more) open.push({ type: 'continue' });
  }
  return { transitions, rows: store.bytes, records };
}

function answered(effect: Effect): readonly Command[] {
  if (effect.effect !== 'queue' && effect.effect !== 'run') return [];
  const { node, iteration, attempt } = effect;
  const at = { node, iteration, attempt };
  return effect.effect === 'queue'
    ? [{ type: 'grant', ...at }]
    : [{ type: 'report', ...at, outcome: { ok: true, outputs: { out: node } } }];
}

const SIZES = [10, 100, 1000, 10_000];
/** Of what the lifecycle keeps a list of in memory. */
const SMALLER = [10, 100, 1000, 4000];

const names = (count: number, kind: 'task' | 'inline') =>
  Array.from({ length: count }, (_, i) => ({ id: `n${i}`, kind }));
/** One behind the other. */
const line = (count: number, kind: 'task' | 'inline'): GraphSpec => ({
  nodes: names(count, kind),
  edges: Array.from({ length: count - 1 }, (_, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
});
/** All beside each other. */
const wide = (count: number, kind: 'task' | 'inline'): GraphSpec => ({ nodes: names(count, kind), edges: [] });
/** All beside each other, and one that all lead to. */
const fan = (count: number, kind: 'task' | 'inline'): GraphSpec => ({
  nodes: [...names(count, kind), { id: 'join', kind }],
  edges: Array.from({ length: count }, (_, i) => ({ from: `n${i}`, to: 'join' })),
});
/** Each hangs on two of the ten before it. */
const woven = (count: number, kind: 'task' | 'inline'): GraphSpec => ({
  nodes: names(count, kind),
  edges: Array.from({ length: count }, (_, i) =>
    i < 10 ? [] : [i - 10, i - 3].map((from) => ({ from: `n${from}`, to: `n${i}` })),
  ).flat(),
});

/** One behind the other, each with one that undoes it. */
const undone = (count: number, kind: 'task' | 'inline'): GraphSpec => ({
  nodes: [
    ...names(count, kind).map((node) => ({ ...node, compensation: `u${node.id}` })),
    ...names(count, kind).map(({ id }) => ({ id: `u${id}`, kind })),
  ],
  edges: Array.from({ length: count - 1 }, (_, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
});

/** How an execution begins, by its graph. */
type Given = (spec: GraphSpec) => Partial<StartCommand>;

const ids = ({ nodes }: GraphSpec): readonly string[] => nodes.map(({ id }) => id);
const whole: Given = () => ({});
/** Two of three. */
const part: Given = (spec) => ({ select: { nodes: ids(spec).filter((_, i) => i % 3 !== 0), closure: 'none' } });
const pinned: Given = (spec) => ({ pins: Object.fromEntries(ids(spec).flatMap((id, i) => (i % 2 ? [] : [[id, i]]))) });

for (const [shape, make, kind, given] of [
  ['line', line, 'task', whole],
  ['wide', wide, 'task', whole],
  ['wide', wide, 'inline', whole],
  ['fan', fan, 'task', whole],
  ['woven', woven, 'inline', whole],
  ['line', undone, 'task', whole],
  ['line', line, 'task', part],
  ['wide', wide, 'task', pinned],
] as const) {
  const what = given === whole ? '' : given === part ? ', a part of which is selected' : ', half of which are pinned';
  const undoing = make === undone ? ', each of which may be undone' : '';
  test(`S9.1.b: bytes for each transition do not grow with the graph: ${shape} of ${kind} nodes${what}${undoing}`, (t) => {
    const per = (make === undone ? SMALLER : SIZES).map((size) => {
      const spec = make(size, kind);
      const { transitions, rows, records } = written(spec, given(spec));
      t.diagnostic(
        `${size}: ${Math.round(rows / transitions)} of rows, ${Math.round(records / transitions)} of records`,
      );
      return (rows + records) / transitions;
    });
    // what ends within one step has no rows; numbers have more digits in larger graphs
    const [, , thousand, most] = per as [number, number, number, number];
    assert.ok(most < 1.4 * thousand, `${most} bytes in the largest graph, ${thousand} at 1,000 nodes`);
    assert.ok(Math.max(...per) < 1500);
  });
}
