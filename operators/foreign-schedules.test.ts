import assert from 'node:assert/strict';
import { test } from 'node:test';
import { string } from '../schemas/schemas.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { ForeignNetwork, type Saved } from './testing/foreign-network.ts';

const TEXT = { key: string(), value: string(), partitions: 1 } as const;
const LEFT = topic('left', TEXT);
const OUT = topic('out', TEXT);

/** A left value begins with its foreign key; n names none. */
function foreignKey(value: string): string | null {
  return value.startsWith('n') ? null : value.slice(0, 1);
}
const join = { name: 'fk', foreignKey, merge: (value: string, row: string) => `${value}+${row}` };

/** Of three partitions, each right key has one of its own. */
function rightOf(partitions: 1 | 3) {
  return topic('right', { ...TEXT, partitions });
}

function ofTopics(partitions: 1 | 3): Program {
  const app = topology('topics');
  app
    .table(LEFT, { store: 'left' })
    .joinForeign(app.table(rightOf(partitions), { store: 'right' }), join)
    .toStream()
    .to(OUT);
  return app.build();
}

/** Its left table is made of the newest values, and says of the first that it replaces one that names `a`. */
function ofAggregates(): Program {
  const app = topology('aggregates');
  app
    .stream(LEFT)
    .groupByKey()
    .aggregate({
      store: 'left',
      value: string(),
      initial: () => 'a0',
      add: (_, value) => (value === '-' ? (null as never) : value),
    })
    .mapValues((value) => value, { value: string() })
    .joinForeign(app.table(rightOf(3), { store: 'right' }), join)
    .toStream()
    .to(OUT);
  return app.build();
}

interface Bounds {
  /** What the left row may become; null: it is deleted. */
  readonly values: readonly (string | null)[];
  /** How a deletion is said. */
  readonly deletion: string | null;
  readonly lefts: number;
  readonly rights: number;
}

interface State extends Bounds {
  readonly row: string | null;
  readonly right: ReadonlyMap<string, string | null>;
  readonly saved: Saved;
  readonly what: string;
  readonly from: State | undefined;
}

/** Goes to every state that any schedule of so many changes can lead to; answers how many there are. */
function explore(program: Program, bounds: Bounds): number {
  const network = new ForeignNetwork(program);
  const seen = new Set<string>();
  const open: State[] = [];
  const reach = (state: Omit<State, 'saved'>) => {
    const saved = network.save();
    const id = `${state.lefts} ${state.rights} ${saved.id}`;
    if (seen.size < seen.add(id).size) open.push({ ...state, saved });
  };
  const empty = network.save();
  for (const a of ['r0', null]) {
    for (const b of ['r0', null]) {
      for (const row of [null, 'a1']) {
        network.restore(empty);
        const right = new Map([['a', a] as const, ['b', b] as const]);
        for (const [key, value] of right) if (value !== null) network.right(key, value);
        if (row !== null) network.left(row);
        for (let [queue] = network.waiting; queue !== undefined; [queue] = network.waiting) network.take(queue);
        reach({ ...bounds, row, right, what: `left ${row}, a ${a}, b ${b}`, from: undefined });
      }
    }
  }
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    network.restore(state.saved);
    const { waiting } = network;
    if (waiting.length === 0) check(network, state);
    const step = (change: Partial<State>, run: () => string) => {
      network.restore(state.saved);
      const what = run();
      const { saved: _, ...before } = state;
      reach({ ...before, ...change, what, from: state });
    };
    for (const queue of waiting) step({}, () => network.take(queue));
    if (state.lefts > 0) {
      for (const row of state.values) {
        if (row === state.row) continue;
        step({ row, lefts: state.lefts - 1 }, () => {
          network.left(row ?? state.deletion);
          return `left ${row}`;
        });
      }
    }
    if (state.rights > 0) {
      for (const [key, now] of state.right) {
        const value = now === null ? `r${state.rights}` : null;
        step({ right: new Map(state.right).set(key, value), rights: state.rights - 1 }, () => {
          network.right(key, value);
          return `right ${key} ${value}`;
        });
      }
    }
  }
  return seen.size;
}

/** Nothing is on its way: the result is what the rows say. */
function check(network: ForeignNetwork, state: State): void {
  const { row, right } = state;
  const named = row === null ? null : foreignKey(row);
  const partner = named === null ? null : right.get(named)!;
  const expected = partner === null ? null : `${row}+${partner}`;
  if (network.result === expected && network.rows('leavings') === '') return;
  const path: string[] = [];
  for (let at: State | undefined = state; at !== undefined; at = at.from) path.unshift(at.what);
  const counts = JSON.stringify(network.rows('leavings'));
  assert.fail(`the result is ${network.result}, not ${expected}, and leavings are ${counts}:\n  ${path.join('\n  ')}`);
}

test('an inner join comes to what the rows say, however changes and messages meet', () => {
  const deletion = null;
  const few = explore(ofTopics(3), { values: ['a1', 'b1', 'n1', null], deletion, lefts: 3, rights: 2 });
  const more = explore(ofTopics(3), { values: ['a1', 'a2', 'b1', 'n1', 'n2', null], deletion, lefts: 2, rights: 2 });
  assert.ok(few > 50_000 && more > 10_000, `${few} and ${more} states`);
});

test('so does one whose right keys lie in one partition', () => {
  const values = ['a1', 'b1', 'n1', null];
  const states = explore(ofTopics(1), { values, deletion: null, lefts: 3, rights: 2 });
  assert.ok(states > 10_000, `${states} states`);
});

test('so does one whose first rows replace the initial value of an aggregate', () => {
  const states = explore(ofAggregates(), { values: ['a1', 'b1', null], deletion: '-', lefts: 3, rights: 1 });
  assert.ok(states > 5000, `${states} states`);
});
