import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../core/clock.ts';
import type { TaskId } from '../core/ids.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { createStateBackend, type Table, type TableSpec } from '../state/state.ts';
import { STORE_FORMS, type WindowType } from '../topology/plan.ts';
import { OPERATORS } from './operators.ts';
import { runWithCrashes } from './testing/disturb.ts';
import { everyWindow } from './testing/every-window.ts';
import { everything } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask, type TestTaskOptions } from './testing/test-task.ts';

/** Events with some disorder, some nulls, and updates of the two tables among them. */
const inputs = fc
  .array(
    fc.record({
      which: fc.constantFrom('events', 'events', 'events', 'names', 'rates', 'prices', 'everywhere'),
      key: fc.constantFrom('a', 'ab', 'b', 'é', null),
      value: fc.option(fc.nat(9), { freq: 6 }),
      later: fc.integer({ min: -9, max: 12 }),
    }),
    { maxLength: 40, size: 'max' },
  )
  .map((rows) => {
    let time = 20;
    return rows.map(({ which, key, value, later }): Datum => {
      time = Math.max(0, time + later);
      return { topic: which, key, value: asValue(which, value), timestamp: time };
    });
  });

function asValue(which: string, value: number | null): unknown {
  if (value === null || which === 'events' || which === 'prices') return value;
  return which === 'names' ? { name: `n${value}` } : { count: 1, sum: value, odd: true };
}

const program = everything();
const windows = everyWindow();
const PROGRAMS = {
  'every kind of node': { program, runs: 150 },
  'every kind of window': { program: windows, runs: 50 },
};

/** What each topic gets, in order; between topics none is promised, since after a crash closes go on in the plan's. */
function outcome(task: TestTask): unknown {
  const drops = task.dropped.items.map(({ node, reason }) => `${node} ${reason}`);
  const written = Map.groupBy(task.written.items, ({ topic }) => topic);
  return { written: [...written].sort(([a], [b]) => (a < b ? -1 : 1)), drops };
}

function runAll(program: TestProgram, data: readonly Datum[], options: TestTaskOptions = {}): TestTask {
  const task = new TestTask(program, options);
  task.feed(...data);
  task.end();
  return task;
}

for (const [name, { program, runs }] of Object.entries(PROGRAMS)) {
  const settings = { numRuns: runs, seed: 20260 };
  test(`${name} does the same where reads miss at random: undo leaves nothing behind`, () => {
    let misses = 0;
    fc.assert(
      fc.property(inputs, fc.nat(), (data, seed) => {
        const random = seededRandom(seed);
        const task = runAll(program, data, {
          interrupt(step) {
            if (randomInt(random, 12) === 0) step.miss();
          },
        });
        misses += task.misses;
        assert.deepEqual(outcome(task), outcome(runAll(program, data)));
      }),
      settings,
    );
    assert.ok(misses > 5 * runs, `${misses} misses`);
  });

  test(`${name}: a commit and a crash after any step lose nothing and repeat nothing`, () => {
    let crashes = 0;
    fc.assert(
      fc.property(inputs, fc.nat(), (data, seed) => {
        const open = (between: () => void) => new TestTask(program, { between });
        const crashed = runWithCrashes({ random: seededRandom(seed), oneIn: 9, open }, data);
        crashes += crashed.crashes;
        assert.deepEqual(outcome(crashed.task), outcome(runAll(program, data)));
      }),
      settings,
    );
    assert.ok(crashes > 3 * runs, `${crashes} crashes`);
  });

  test(`${name}: hot tables and naive tables give the same`, async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (data) => {
        const step = new Step();
        const tables = new Map<string, Table>();
        const specs: TableSpec[] = program.stores.map((store) => ({
          name: store.name,
          windowed: STORE_FORMS[store.kind].paned,
          cells: STORE_FORMS[store.kind].raw ? undefined : program.serde(store.value).cells,
          ordered: STORE_FORMS[store.kind].ordered || ['sums', 'seen'].includes(store.name),
        }));
        const backend = createStateBackend({});
        const state = await backend.open({
          task: 'everything_0' as TaskId,
          directory: undefined,
          step,
          clock: new VirtualClock(),
          budget: { maxBytes: 1 << 26, usedBytes: 0 },
          tables: specs,
          onQuarantine: assert.fail,
        });
        for (const { name } of specs) tables.set(name, state.table(name));
        const hot = runAll(program, data, { step, table: ({ name }) => tables.get(name)! });
        assert.deepEqual(outcome(hot), outcome(runAll(program, data)));
        await state.close();
        await backend.close();
      }),
      settings,
    );
  });
}

test('every node kind that has an operator stands in the topology of these tests', () => {
  const kinds = new Set<string>(program.nodes.map((node) => node.kind));
  const missing = Object.keys(OPERATORS).filter((kind) => !kinds.has(kind));
  assert.deepEqual(missing, []);
});

test('every kind of window stands in one of them', () => {
  const types = [...program.nodes, ...windows.nodes].map((node) => node.kind === 'aggregate' && node.window?.type);
  const wanted: readonly WindowType[] = [
    ...([
      'tumbling',
      'hopping',
      'sliding',
      'session',
      'unlimited',
      'count',
      'cumulative',
      'calendar',
      'custom',
    ] as const),
  ];
  assert.deepEqual(
    wanted.filter((type) => !types.includes(type)),
    [],
  );
});
