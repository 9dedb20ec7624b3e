import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import { PENDING_ROW } from '../lifecycle/lifecycle.ts';
import { Callers } from './callers.ts';
import { MemoryStore } from './memory-rows.ts';
import type { CallWord } from './messages.ts';
import { decodePage, emptyPage, encodePage } from './row-codec.ts';
import { placeName, Slots } from './slots.ts';

const HOLDER = { execution: 'x', node: 0, iteration: '' };

/** A partition that `process` has. */
function partition(rows: MemoryStore, process: string) {
  const store = rows as unknown as KeyValueStore<string, Json>;
  const slots = new Slots(store, () => 10, process);
  const announced: boolean[] = [];
  const calls = { process, announce: (_: unknown, careful: boolean) => announced.push(careful) };
  const callers = new Callers({ store, slots, calls: calls as never });
  const say = (word: CallWord, by = process, attempt = 1) =>
    callers.judge({ x: 'x', call: { n: 0, i: '', a: attempt, process: by, do: word }, id: 'm' })?.code ?? 'well';
  const run = (at: number, lost = 0) => {
    const at0 = {
      effect: 'run',
      node: 0,
      iteration: '',
      attempt: 1,
      mode: 'realtime',
      inputs: {},
      config: {},
    } as const;
    const graph = { nodes: [{ id: 'a', type: { name: 'task', version: 1 } }] } as never;
    const task = callers.announced('x', { ...at0, resume: null, lost, ending: false, first: 'x' }, graph, at);
    return { careful: announced.at(-1), lost: task.l };
  };
  const ask = () => slots.ask({ ...HOLDER, attempt: 1, pool: 'default', priority: 5, deadline: null, since: 0 });
  return { slots, say, run, ask };
}

const place = (rows: MemoryStore) => rows.get(placeName(HOLDER));

test('what a process calls is lost where it ends, and not where it leaves it', () => {
  const rows = new MemoryStore();
  const one = partition(rows, 'one');
  assert.ok(one.ask());
  assert.deepEqual(place(rows), { pool: 'default', attempt: 1, key: null, by: 'one' });
  assert.equal(one.say('take'), 'well');
  const two = partition(rows, 'two');
  assert.equal(two.say('take'), 'workflow.process-lost');
  assert.equal(two.say('wait'), 'workflow.process-lost');
  assert.equal(two.say('leave'), 'well', 'nobody leaves what another calls');
  assert.equal(two.say('leave', 'one'), 'well');
  assert.equal(two.say('wait'), 'well');
  assert.deepEqual(place(rows), { pool: 'default', attempt: 1, key: null });
  assert.equal(two.say('take'), 'well');
  assert.equal(partition(rows, 'three').say('take'), 'workflow.process-lost');
  assert.equal(two.say('take', 'two', 2), 'workflow.stale');
});

test('what is kept apart is called by nobody until it is taken', () => {
  const rows = new MemoryStore();
  const one = partition(rows, 'one');
  one.ask();
  assert.deepEqual(one.run(0, 3), { careful: true, lost: 3 });
  assert.equal(partition(rows, 'two').say('take'), 'well');
});

test('calls are careful at first, and for longer behind another process', () => {
  const rows = new MemoryStore();
  const one = partition(rows, 'one');
  assert.deepEqual(
    [0, 999, 1000, 50_000].map((at) => one.run(at).careful),
    [true, true, false, false],
  );
  const two = partition(rows, 'two');
  assert.deepEqual(
    [60_000, 89_999, 90_000].map((at) => two.run(at).careful),
    [true, true, false],
  );
  assert.equal(partition(rows, 'two').run(100_000).careful, false);
});

test('places that were granted before it was kept who calls them are called by nobody', () => {
  const rows = new MemoryStore([[placeName(HOLDER), { pool: 'default', attempt: 1, key: null }]]);
  assert.equal(partition(rows, 'one').say('take'), 'well');
  assert.equal(partition(rows, 'two').say('take'), 'workflow.process-lost');
});

test('rows of nodes that were written before processes were counted are read, and written as they were', () => {
  const kept = [[[3, 2, 'slot-granted', 4, 1000, [1], [1], 1, 2, null, null, null, null, []]], []] as unknown as Json;
  const page = decodePage(kept);
  const row = page.nodes.get(3)!;
  assert.deepEqual([row.failures, row.system, row.lost], [1, 2, 0]);
  assert.deepEqual(encodePage(page), kept);
  const counted = emptyPage();
  counted.nodes.set(3, { ...row, lost: 2 });
  counted.nodes.set(4, PENDING_ROW);
  assert.deepEqual(decodePage(JSON.parse(JSON.stringify(encodePage(counted)))).nodes, counted.nodes);
});
