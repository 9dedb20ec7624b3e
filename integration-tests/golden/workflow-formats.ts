import type { Json } from '../../core/ids.ts';
import type { Alarm, KeyValueStore } from '../../operators/operators.ts';
import { DefinitionRows } from '../../workflows/control/definition-rows.ts';
import { MemoryStore } from '../../workflows/control/memory-rows.ts';
import { StoredRows } from '../../workflows/control/stored-rows.ts';
import { type Timer, TimerRows } from '../../workflows/control/timer-rows.ts';
import { type Header, MemoryRows, type NodeRow } from '../../workflows/lifecycle/lifecycle.ts';
import { graphOf } from '../../workflows/lifecycle/testing/random-graph.fixture.ts';
import { World } from '../../workflows/lifecycle/testing/world.ts';
import { type Format, plain } from './format.ts';

type Row = readonly [key: string, value: Json];

function storeOf(rows: Iterable<Row> = []): { readonly store: MemoryStore; rows(): Json } {
  const store = new MemoryStore(rows);
  return { store, rows: () => plain(store.range('', '\uffff')) };
}

interface Execution {
  readonly header: Header;
  readonly nodes: readonly (readonly [key: string, row: NodeRow])[];
  readonly outputs: readonly (readonly [key: string, port: string, value: Json])[];
}

/** Executions in the store of their owner, at each step of a life with failures, waits and iterations. */
const executions: Format = {
  name: 'executions',
  version: 1,
  async sample() {
    const found: Execution[] = [];
    for (let seed = 1; found.length < 5; seed += 7) {
      const world = new World(graphOf({ seed, nodes: 1 + (seed % 9) }), { seed, faults: 0.3, people: 0.05 });
      world.run();
      const execution = executionAt(world, Math.floor(world.records.length / 2));
      // of one that has ended nothing is left
      if (execution.header.phase !== 'ended') found.push(execution);
    }
    return plain(found);
  },
  async write(value) {
    return (value as unknown as readonly Execution[]).map(({ header, nodes, outputs }) => {
      const { store, rows } = storeOf();
      const stored = new StoredRows(store, header.execution);
      stored.putHeader(header);
      for (const [key, row] of nodes) stored.putNode(key, row);
      for (const [key, port, output] of outputs) stored.putOutput(key, port, output);
      stored.flush(1_764_000_000_000);
      return rows();
    });
  },
  async read(written) {
    return plain(
      (written as unknown as readonly (readonly Row[])[]).map((rows) => {
        const stored = new StoredRows(storeOf(rows).store, 'x');
        const outputs = [...stored.outputs()].flatMap(([node, iteration, ports]) => {
          const key = iteration === '' ? `${node}` : `${node}@${iteration}`;
          return ports.map((port) => [key, port, stored.output(key, port)!] as const);
        });
        return sorted({ header: stored.header()!, nodes: [...stored.allNodes()], outputs });
      }),
    );
  },
};

function executionAt(world: World, seq: number): Execution {
  const rows = new MemoryRows();
  for (const record of world.records.slice(0, seq)) {
    for (const event of record.events) world.lifecycle.evolve(rows, world.graph, record, event);
  }
  return sorted({
    header: rows.header()!,
    nodes: [...rows.nodes],
    outputs: [...rows.outputs].flatMap(([key, ports]) =>
      Object.entries(ports).map(([port, value]) => [key, port, value] as const),
    ),
  });
}

function sorted({ header, nodes, outputs }: Execution): Execution {
  const byText = (a: readonly unknown[], b: readonly unknown[]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { header, nodes: nodes.toSorted(byText), outputs: outputs.toSorted(byText) };
}

interface Definition {
  readonly id: string;
  readonly version: string;
  readonly hash: string;
  readonly document: Json;
}

/** Definitions as partitions keep them; they come in messages of the same fields. */
const definitions: Format = {
  name: 'definitions',
  version: 1,
  sample: async () => [
    { id: 'pay', version: '1.9.0', hash: 'ab', document: { id: 'pay', nodes: [] } },
    { id: 'pay', version: '1.10.0', hash: 'cd', document: { id: 'pay', nodes: [{ id: 'a' }] } },
    { id: 'other', version: '1.0.0', hash: 'ef', document: { id: 'other' } },
  ],
  async write(value) {
    const { store, rows } = storeOf();
    const putIfAbsent = (key: string, row: Json) => {
      const before = store.get(key);
      if (before === undefined) store.put(key, row);
      return before;
    };
    const kept = new DefinitionRows(Object.assign(store, { putIfAbsent }) as unknown as KeyValueStore<string, Json>);
    for (const each of value as unknown as readonly Definition[])
      kept.put({ ...each, publishedAt: 1, publishedBy: null });
    return rows();
  },
  async read(written) {
    const kept = new DefinitionRows(
      storeOf(written as unknown as readonly Row[]).store as unknown as KeyValueStore<string, Json>,
    );
    return plain(
      [
        ['pay', '1.9.0'],
        ['pay', kept.newest('pay')!],
        ['other', kept.newest('other')!],
      ].map(([id, version]) => {
        const hash = kept.hash(id!, version!)!;
        return { id, version, hash, document: kept.document(hash) };
      }),
    );
  },
};

const alarmAt = (due: number | undefined) => ({ due, set() {} }) as Alarm;

/** Timers of a partition, in the order of their times. */
const timers: Format = {
  name: 'timers',
  version: 1,
  sample: async () =>
    plain([
      { due: 5, execution: 'order-7/pay', timer: 'retry', node: 3, iteration: '2.0', attempt: 2 },
      { due: 1_764_000_000_000, execution: 'é', timer: 'deadline', node: -1, iteration: '', attempt: 0 },
    ]),
  async write(value) {
    const { store, rows } = storeOf();
    const kept = new TimerRows(store as unknown as KeyValueStore<string, Json>, alarmAt(undefined));
    for (const each of value as unknown as readonly Timer[]) kept.set(each);
    return rows();
  },
  async read(written) {
    const { store } = storeOf(written as unknown as readonly Row[]);
    const kept = new TimerRows(store as unknown as KeyValueStore<string, Json>, alarmAt(0));
    return plain(kept.take(Number.MAX_SAFE_INTEGER, 0, 100));
  },
};

export const WORKFLOW_FORMATS: readonly Format[] = [executions, definitions, timers];
