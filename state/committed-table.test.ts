import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, randomInt, seededRandom } from '../core/random.ts';
import { type BytesTable, type CellTable, type Cut, createStateBackend, type Scan, UNDECIDED } from './state.ts';
import { inFolder } from './store.conformance.ts';
import { TestTask } from './test-task.ts';

type Rows = Map<string, string>;

const KEYS = Array.from({ length: 40 }, (_, n) => (n % 3 === 0 ? `a key that is longer than a row, ${n}` : `k${n}`));
/** The pane of the plain table is 0; the windowed one has several. */
const PANES = [0, 10, 20];

/** Both kinds of table, live and as committed, beside plain maps of both. */
class Model {
  live: Rows = new Map();
  committed: Rows = new Map();
  readonly cuts: { readonly cut: Cut; readonly rows: Rows; readonly drops: ReadonlySet<number> }[] = [];
  drops = new Set<number>();

  get undecided(): ReadonlySet<number> {
    return new Set([...this.drops, ...this.cuts.flatMap(({ drops }) => [...drops])]);
  }
}

/** Rows stand under table, pane and key. */
const place = (table: string, pane: number, key: string) => `${table}/${pane}/${key}`;

function change(task: TestTask, random: Random, rows: Rows, drops: Set<number>): void {
  const key = KEYS[randomInt(random, KEYS.length)]!;
  const bytes = Buffer.from(key);
  const pane = PANES[randomInt(random, PANES.length)]!;
  const value = `${randomInt(random, 1000)}`;
  switch (randomInt(random, 9)) {
    case 0:
      task.pages.delete(pane, bytes, 0, bytes.length);
      rows.delete(place('pages', pane, key));
      return;
    case 1:
      task.sums.delete(0, bytes, 0, bytes.length);
      rows.delete(place('sums', 0, key));
      return;
    case 2:
      if (randomInt(random, 12) > 0) return;
      task.pages.dropPane(pane);
      drops.add(pane);
      for (const name of [...rows.keys()]) if (name.startsWith(`pages/${pane}/`)) rows.delete(name);
      return;
    case 3:
    case 4:
    case 5:
      task.put(pane, key, value);
      rows.set(place('pages', pane, key), value);
      return;
    default:
      task.sums.update(0, bytes, 0, bytes.length);
      task.sums.cells[task.sums.base] = Number(value);
      rows.set(place('sums', 0, key), value);
  }
}

/** A step of a few changes, one in three of which is taken back at its end. */
async function step(task: TestTask, random: Random, model: Model): Promise<void> {
  const seed = randomInt(random, 2 ** 30);
  const count = 1 + randomInt(random, 4);
  const isUndone = randomInt(random, 3) === 0;
  let rows = model.live;
  let drops = model.drops;
  for (;;) {
    const again = seededRandom(seed);
    rows = new Map(model.live);
    drops = new Set(model.drops);
    const done = task.attempt(() => {
      for (let n = 0; n < count; n++) change(task, again, rows, drops);
      if (isUndone) task.step.missed = true;
      if (isUndone) throw new Error('undone');
    });
    if (done !== undefined || isUndone) break;
    await task.state.fetchWanted();
  }
  if (isUndone) return;
  model.live = rows;
  model.drops = drops;
}

const text = (kind: 'bytes' | 'cells', at: Scan | BytesTable | CellTable) =>
  kind === 'cells'
    ? `${(at as Scan).cells[(at as Scan).base]}`
    : (at as Scan).bytes.toString('utf8', (at as Scan).start, (at as Scan).end);

async function check(task: TestTask, random: Random, model: Model): Promise<void> {
  const undecided = model.undecided;
  for (const [name, pane] of [['sums', 0] as const, ...PANES.map((each) => ['pages', each] as const)]) {
    const table = () => task.state.committedTable(name) as BytesTable;
    const rows = [...model.committed]
      .filter(([at]) => at.startsWith(`${name}/${pane}/`))
      .map(([at, value]) => [at.slice(`${name}/${pane}/`.length), value] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (name === 'pages' && undecided.has(pane)) {
      assert.throws(
        () => table().scan(pane),
        (thrown) => thrown === UNDECIDED,
      );
      assert.ok(table().panes().includes(pane));
      continue;
    }
    const [from, to] = [KEYS[randomInt(random, KEYS.length)]!, KEYS[randomInt(random, KEYS.length)]!];
    const found = await task.run(() => {
      const asked = table();
      const all: [string, string][] = [];
      for (const scan = asked.scan(pane, Buffer.from(from), Buffer.from(to)); scan.next(); )
        all.push([scan.key.toString('utf8', scan.keyStart, scan.keyEnd), text(asked.kind, scan)]);
      return all;
    });
    assert.deepEqual(
      found,
      rows.filter(([key]) => key >= from && key < to),
    );
    const last = await task.run(() => {
      const at = table().last(pane, Buffer.from(from));
      return at?.key.toString('utf8', at.keyStart, at.keyEnd);
    });
    assert.equal(last, rows.filter(([key]) => key >= from).at(-1)?.[0]);
    for (const key of [from, to]) {
      const one = await task.run(() => {
        const asked = table();
        const bytes = Buffer.from(key);
        return asked.find(pane, bytes, 0, bytes.length) ? text(asked.kind, asked) : undefined;
      });
      assert.equal(one, model.committed.get(place(name, pane, key)));
    }
  }
}

for (const onDisk of [false, true]) {
  for (let seed = 1; seed <= 12; seed++) {
    test(`committed rows are those of a map, ${onDisk ? 'rows on disk' : 'in memory'} (seed ${seed})`, () =>
      inFolder({ name: '', onDisk, create: () => createStateBackend({}) }, (directory) => run(directory, seed)));
  }
}

async function run(directory: string | undefined, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const task = await new TestTask(createStateBackend({}), directory).open();
  const model = new Model();
  let [told, evictions] = [0, 0];
  for (let turn = 0; turn < 600; turn++) {
    await step(task, random, model);
    const dice = randomInt(random, 24);
    if (dice < 2) {
      const drops = model.drops;
      model.drops = new Set();
      model.cuts.push({ cut: task.state.cut(), rows: new Map(model.live), drops });
    } else if (dice < 5 && model.cuts.length > 0) {
      const { cut, rows } = model.cuts.shift()!;
      task.commit(cut);
      model.committed = rows;
    } else if (dice === 5 && directory !== undefined) {
      while (model.cuts.length > 0) task.commit(model.cuts.shift()!.cut);
      await task.evictAll();
      model.committed = new Map(model.live);
      model.drops = new Set();
      evictions = task.state.figures.evictions;
    }
    if (task.state.tellsCommitted) {
      told++;
      await check(task, random, model);
    }
  }
  assert.ok(told > 400, `${told} times told`);
  assert.equal(evictions > 0, directory !== undefined, `${evictions} evictions`);
  const { usedBytes } = task.budget;
  await task.state.close();
  assert.ok(usedBytes > 0);
  assert.equal(task.budget.usedBytes, 0, 'what was kept is given back');
}

test('what rows were is kept only from when somebody asks, and no longer than for a thousand epochs', async () => {
  const task = await new TestTask(createStateBackend({}), undefined).open();
  await task.run(() => task.put(0, 'a', 'first'));
  assert.equal(task.state.tellsCommitted, false, 'what it was before is not known');
  task.commit();
  assert.equal(task.state.tellsCommitted, true);
  for (let epoch = 0; epoch < 1001; epoch++) {
    await task.run(() => task.put(0, 'a', `of epoch ${epoch}`));
    task.commit();
  }
  await task.run(() => task.put(0, 'a', 'last'));
  assert.equal(task.state.tellsCommitted, false, 'nobody had asked');
  await task.state.close();
});

test('asked amid an epoch of many changed rows, what later steps change and undo stays in order', async () => {
  const task = await new TestTask(createStateBackend({}), undefined).open();
  const putAll = (value: string) => () => {
    for (let n = 0; n < 500; n++) task.put(0, `k${n}`, value);
  };
  await task.run(putAll('first'));
  assert.equal(task.state.tellsCommitted, false);
  const undone = task.attempt(() => {
    task.put(0, 'new', 'undone');
    return task.step.miss();
  });
  assert.equal(undone, undefined);
  await task.run(() => task.put(0, 'new', 'kept'));
  task.commit();
  assert.equal(task.state.tellsCommitted, true);
  await task.run(putAll('second'));
  const committed = (key: string) => {
    const table = task.state.committedTable('pages') as BytesTable;
    const bytes = Buffer.from(key);
    return table.find(0, bytes, 0, bytes.length) ? text('bytes', table) : undefined;
  };
  assert.deepEqual(['k0', 'k499', 'new', 'none'].map(committed), ['first', 'first', 'kept', undefined]);
  await task.state.close();
});
