import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { runWithCrashes } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask, type TestTaskOptions } from './testing/test-task.ts';

const FORMATS = { key: string(), value: string(), partitions: 1 } as const;
const STREAM = topic('stream', FORMATS);
const ROWS = topic('rows', FORMATS);
const OUT = topic('out', FORMATS);
const HISTORY = 20;
const RUNS = { numRuns: 200, seed: 923 };

interface Join {
  readonly how: 'inner' | 'left';
  readonly grace: number | undefined;
  /** The table comes from its topic, or of a stream, or takes some rows of a table and keeps none. */
  readonly made: 'table' | 'toTable' | 'filtered';
}

const joins: fc.Arbitrary<Join> = fc.record({
  how: fc.constantFrom('inner', 'left'),
  grace: fc.constantFrom(undefined, 0, 3, 10),
  made: fc.constantFrom('table', 'toTable', 'filtered'),
});

const inputs = fc
  .array(
    fc.record({
      topic: fc.constantFrom('stream', 'stream', 'rows'),
      key: fc.constantFrom('a', 'ab', 'é', 'b', null),
      value: fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 6 }),
      step: fc.constantFrom(0, 0, 1, 2, 5),
      back: fc.constantFrom(0, 0, 0, 1, 2, 4, 11, 20, 21, 25),
    }),
    { maxLength: 50, size: 'max' },
  )
  .map((rows) => {
    let clock = 30;
    return rows.map(({ topic: name, key, value, step, back }, index): Datum => {
      clock += step;
      const text = value === null ? null : `${name[0]}${index}`;
      return { topic: name, key, value: text, timestamp: clock - back };
    });
  });

function isTaken(row: string): boolean {
  return !row.endsWith('7');
}

function program({ how, grace, made }: Join) {
  const app = topology('as-of');
  const options = { store: 'rows', history: HISTORY };
  const whole = made === 'toTable' ? app.stream(ROWS).toTable(options) : app.table(ROWS, options);
  const table = made === 'filtered' ? whole.filter(isTaken) : whole;
  const merge = (value: string, row: string | null) => `${value}+${row}`;
  const join = grace === undefined ? { merge } : { merge, name: 'wait', grace };
  const stream = app.stream(STREAM);
  (how === 'left' ? stream.leftJoinTable(table, join) : stream.joinTable(table, join)).to(OUT);
  whole.toStream().to(topic('updates', FORMATS));
  return testProgram(app.build());
}

function run(join: Join, data: readonly Datum[], options: TestTaskOptions = {}): TestTask {
  const task = new TestTask(program(join), options);
  task.feed(...data);
  task.end();
  return task;
}

function outcome(task: TestTask): unknown {
  return { written: task.written.items, drops: task.dropped.items };
}

/** Looks through the lists of all versions and of all that waits. */
function naive({ how, grace, made }: Join, data: readonly Datum[]): { joined: Datum[]; late: number; early: number } {
  const versions: Datum[] = [];
  const waiting: Datum[] = [];
  const joined: Datum[] = [];
  let [tableClock, clock, late, early] = [-1, -1, 0, 0];

  function join(record: Datum): void {
    const { key, value, timestamp } = record;
    const before = versions.filter((row) => row.key === key && row.timestamp <= timestamp);
    before.sort((a, b) => a.timestamp - b.timestamp);
    const newest = Math.max(...versions.filter((row) => row.key === key).map((row) => row.timestamp));
    const found = before.at(-1);
    const known = timestamp >= tableClock - HISTORY || found?.timestamp === newest;
    const kept = known ? ((found?.value ?? null) as string | null) : null;
    const row = kept !== null && made === 'filtered' && !isTaken(kept) ? null : kept;
    if (row !== null || how === 'left') joined.push({ topic: 'out', key, value: `${value}+${row}`, timestamp });
  }

  function release(until: number): void {
    waiting.sort(
      (a, b) => a.timestamp - b.timestamp || Buffer.compare(Buffer.from(a.key as string), Buffer.from(b.key as string)),
    );
    while (waiting.length > 0 && waiting[0]!.timestamp <= until) join(waiting.shift()!);
  }

  for (const record of data) {
    const { topic: name, key, value, timestamp } = record;
    if (name === 'rows') {
      if (key === null) continue;
      tableClock = Math.max(tableClock, timestamp);
      if (timestamp < tableClock - HISTORY) {
        late++;
        continue;
      }
      const same = versions.findIndex((row) => row.key === key && row.timestamp === timestamp);
      if (same >= 0) versions.splice(same, 1);
      versions.push(record);
      continue;
    }
    if (value === null) continue;
    if (key === null && how === 'inner') continue;
    if (key !== null) clock = Math.max(clock, timestamp);
    if (key === null || grace === undefined) join(record);
    else if (timestamp < clock - grace) {
      join(record);
      early++;
    } else {
      waiting.push(record);
      release(clock - grace);
    }
  }
  release(Number.POSITIVE_INFINITY);
  return { joined, late, early };
}

/** A deletion at the very time of the newest row leaves nothing in Kafka's store: `stores.test.ts`. */
function withoutSameTimes(data: readonly Datum[]): readonly Datum[] {
  const seen = new Set<string>();
  return data.filter(({ topic: name, key, timestamp }) => {
    const id = `${key} ${timestamp}`;
    return name !== 'rows' || (!seen.has(id) && seen.add(id));
  });
}

test('a join as of the record, with grace or without, equals a look through all versions', () => {
  let [late, early, matched] = [0, 0, 0];
  fc.assert(
    fc.property(joins, inputs.map(withoutSameTimes), (join, data) => {
      const expected = naive(join, data);
      const task = run(join, data);
      const joined = task.written.items.filter(({ topic: name }) => name === 'out');
      assert.deepEqual(joined, expected.joined);
      assert.equal(task.dropped.items.filter(({ reason }) => reason === 'late').length, expected.late);
      late += expected.late;
      early += expected.early;
      matched += joined.filter(({ value }) => !String(value).endsWith('null')).length;
    }),
    RUNS,
  );
  assert.ok(late > 20 && early > 100 && matched > 500, `${late} late, ${early} at once, ${matched} matched`);
});

test('it does the same where reads miss at random', () => {
  let misses = 0;
  fc.assert(
    fc.property(joins, inputs, fc.nat(), (join, data, seed) => {
      const random = seededRandom(seed);
      const task = run(join, data, {
        interrupt(step) {
          if (randomInt(random, 8) === 0) step.miss();
        },
      });
      misses += task.misses;
      assert.deepEqual(outcome(task), outcome(run(join, data)));
    }),
    RUNS,
  );
  assert.ok(misses > 500, `${misses} misses`);
});

test('records that wait survive a commit and a crash between any two steps', () => {
  let crashes = 0;
  fc.assert(
    fc.property(joins, inputs, fc.nat(), (join, data, seed) => {
      const open = (between: () => void) => new TestTask(program(join), { between });
      const crashed = runWithCrashes({ random: seededRandom(seed), oneIn: 9, open }, data);
      crashes += crashed.crashes;
      assert.deepEqual(outcome(crashed.task), outcome(run(join, data)));
    }),
    RUNS,
  );
  assert.ok(crashes > 300, `${crashes} crashes`);
});

test('the updates of a table with history are all passed on but those from before it', () => {
  fc.assert(
    fc.property(inputs, (data) => {
      let clock = -1;
      const expected = data.filter(({ topic: name, key, timestamp }) => {
        if (name !== 'rows' || key === null) return false;
        clock = Math.max(clock, timestamp);
        return timestamp >= clock - HISTORY;
      });
      const task = run({ how: 'inner', grace: undefined, made: 'table' }, data);
      const updates = task.written.items.filter(({ topic: name }) => name === 'updates');
      assert.deepEqual(
        updates.map((row) => ({ ...row, topic: 'rows' })),
        expected,
      );
    }),
    RUNS,
  );
});
