import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NamedEvent, type NodeStatus, namedEvents, readReference } from '../../events/events.ts';
import { isTerminal, keyOf } from './row.ts';
import { graphOf } from './testing/random-graph.fixture.ts';
import { World } from './testing/world.ts';

/** The events of the specification, of executions of random graphs with failures, duplicates, crashes and people. */
const SEEDS = 250;

interface Lived {
  readonly world: World;
  readonly events: readonly NamedEvent[];
}

function lived(seed: number): Lived {
  const graph = graphOf({ seed, nodes: 1 + (seed % 9) });
  const world = new World(graph, { seed, faults: 0.25, duplicates: 0.2, crashes: 0.1, people: 0.05 });
  world.run();
  const names = { workflow: 'w', id: (node: number) => String(node), type: () => 'test', schema: () => null };
  return { world, events: world.records.flatMap((record) => namedEvents(record, names)) };
}

function every(check: (lived: Lived) => void): void {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      check(lived(seed));
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
  }
}

const placeOf = ({ node, iteration }: NamedEvent) => keyOf(Number(node), iteration);

test('S2.1.b1: folding NODE_STATE_CHANGED alone gives the states of all nodes', () => {
  every(({ world, events }) => {
    const states = new Map<string, NodeStatus>();
    for (const event of events) {
      if (event.type !== 'NODE_STATE_CHANGED') continue;
      const key = placeOf(event);
      const { from, to, attempt, cause, trigger } = event.data as { readonly [name: string]: string };
      const before = states.get(key) ?? 'PENDING';
      // rows of a round of a loop go when the next begins, and what a redrive does again begins anew
      if (from !== null && !isTerminal(before)) assert.equal(from, before, key);
      assert.ok(cause !== undefined && trigger !== undefined && Number(attempt) >= 0);
      states.set(key, to as NodeStatus);
    }
    for (const [key, row] of world.rows.nodes) assert.equal(states.get(key) ?? 'PENDING', row.status, key);
    for (const [key, state] of states) {
      if (!world.rows.nodes.has(key)) assert.ok(isTerminal(state), `${key} is ${state}, and has no row`);
    }
  });
});

test('S2.1.b1: step and index number the events of an execution without a gap', () => {
  every(({ world, events }) => {
    assert.deepEqual(
      world.records.map(({ seq }) => seq),
      world.records.map((_, i) => i + 1),
    );
    const next = new Map<number, number>();
    for (const { seq, index } of events) {
      assert.equal(index, next.get(seq) ?? 0);
      next.set(seq, index + 1);
    }
  });
});

test('S2.1.b2: DATA_AVAILABLE stands before the RUNNING of whatever takes the data', () => {
  every(({ world, events }) => {
    const available = new Set<string>();
    for (const event of events) {
      if (event.type === 'DATA_AVAILABLE') available.add(`${placeOf(event)} ${event.data['port']}`);
      if (event.type !== 'NODE_STATE_CHANGED' || event.data['to'] !== 'RUNNING') continue;
      const { taken } = world.rows.node(placeOf(event)) ?? { taken: [] };
      for (const number of taken) {
        const edge = world.graph.edges[number]!;
        // within a segment it takes records, and has the value of its edge when the segment has ended
        if (world.graph.nodes[edge.target]!.standIn >= 0) continue;
        if (edge.kind !== 'data' || world.graph.nodes[edge.source]!.onError === 'continue') continue;
        const source = keyOf(edge.source, event.iteration);
        if (world.rows.node(source)?.status !== 'COMPLETED') continue;
        // taken by a join that did not wait for it, it may come later
        if (world.graph.nodes[edge.target]!.join.policy !== 'all') continue;
        assert.ok(available.has(`${source} ${edge.sourcePort}`), `${edge.id} of ${event.iteration}`);
      }
    }
  });
});

test('S2.1.b4: EXECUTION_STARTED is the first event and EXECUTION_COMPLETED is one', () => {
  every(({ events }) => {
    assert.equal(events[0]?.type, 'EXECUTION_STARTED');
    assert.equal(events.filter(({ type }) => type === 'EXECUTION_STARTED').length, 1);
    const ends = events.filter(({ type }) => type === 'EXECUTION_COMPLETED');
    assert.equal(ends.length, 1);
    assert.match(String(ends[0]!.data['status']), /COMPLETED|FAILED|CANCELLED/);
    assert.equal(typeof ends[0]!.data['degraded'], 'boolean');
  });
});

test('S2.1.b4: the counters of the end are what the transitions sum to', () => {
  const seen = { dropped: 0, again: 0 };
  every(({ world, events }) => {
    const sums: Record<string, number> = { COMPLETED: 0, FAILED: 0, CANCELLED: 0 };
    const add = (state: string, count: number) => {
      // every node is PENDING before anything is told of it
      if (state !== 'PENDING') sums[state] = (sums[state] ?? 0) + count;
    };
    for (const { type, data } of events) {
      if (type !== 'NODE_STATE_CHANGED') continue;
      const { from, to, cause } = data as { readonly [name: string]: string | null };
      if (from !== null) add(from!, -1);
      add(to!, 1);
      if (cause === 'redriven') seen.again++;
    }
    const { counters } = events.find(({ type }) => type === 'EXECUTION_COMPLETED')!.data as {
      readonly counters: { readonly [state: string]: number };
    };
    const { QUEUED = 0, RUNNING = 0, ...last } = sums;
    assert.deepEqual([QUEUED, RUNNING], [0, 0]);
    assert.deepEqual(counters, last);
    const { counts } = world.rows.header()!;
    assert.ok(counters['COMPLETED']! >= counts.COMPLETED);
    if (counters['COMPLETED']! > counts.COMPLETED) seen.dropped++;
  });
  // rows of items and rounds that have ended are gone
  assert.ok(seen.dropped > 10 && seen.again > 10, JSON.stringify(seen));
});

test('S2.1.b2: a reference is of one value', () => {
  every(({ world, events }) => {
    const outputs = world.records.flatMap((record) =>
      record.events.flatMap((event) => (event.type === 'output' ? [{ seq: record.seq, ...event }] : [])),
    );
    const told = events.filter(({ type }) => type === 'DATA_AVAILABLE').map(({ data }) => String(data['reference']));
    assert.equal(new Set(told).size, told.length);
    for (const [i, reference] of told.entries()) {
      const { execution, seq, at } = readReference(reference);
      assert.equal(execution, world.records[0]!.execution);
      const found = outputs.filter(
        (each) =>
          each.seq === seq &&
          String(each.node) === at!.node &&
          each.iteration === at!.iteration &&
          each.port === at!.port,
      );
      assert.deepEqual(found, [outputs[i]]);
    }
  });
});

test('S2.1.b5: each failed attempt is one ERROR_OCCURRED, and what it decides comes next', () => {
  const becomes: { readonly [decision: string]: readonly string[] } = {
    retry: ['PENDING'],
    hold: ['PENDING'],
    ...{ fail: ['FAILED'], route: ['FAILED'], continue: ['FAILED'], 'dead-letter': ['FAILED'] },
  };
  let seen = 0;
  every(({ world, events }) => {
    const failed = world.records.flatMap((record) => record.events.filter(({ type }) => type === 'attempt-failed'));
    const told = events.filter(({ type, data }) => type === 'ERROR_OCCURRED' && 'decision' in data);
    assert.equal(told.length, failed.length);
    assert.equal(
      new Set(told.map((event) => `${placeOf(event)} ${event.data['attempt']} ${event.seq}`)).size,
      told.length,
    );
    seen += told.length;
    for (const event of told) {
      const { decision, retryAt, error } = event.data as { readonly [name: string]: never };
      assert.ok((error as { readonly class: string }).class.length > 0);
      assert.equal(retryAt !== null, decision === 'retry');
      const behind = events.find(
        (each) =>
          each.type === 'NODE_STATE_CHANGED' &&
          (each.seq > event.seq || (each.seq === event.seq && each.index > event.index)) &&
          placeOf(each) === placeOf(event),
      );
      // what was held before it could begin is PENDING already
      const isThere = (decision === 'hold' || decision === 'retry') && behind?.data['from'] === 'PENDING';
      if (!isThere)
        assert.ok(becomes[decision]!.includes(String(behind?.data['to'])), `${decision} > ${behind?.data['to']}`);
    }
  });
  assert.ok(seen > 100, `${seen} failures`);
});
