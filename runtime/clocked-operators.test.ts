import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { windowsOfEveryKind } from '../operators/testing/every-window.ts';
import { EVENTS, everyNode, NAMES, PRICES, RATES, TUMBLE } from '../operators/testing/everything.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { PlanNode, SourceTiming } from '../topology/plan.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const WATERMARK: SourceTiming = {
  maxAheadMs: null,
  onAbsurdTime: 'skip',
  watermark: { maxOutOfOrdernessMs: 0, idleMs: null },
  align: null,
};

/** The same program, whose stages go by one clock each, which their sources tell. */
function clocked(program: Program): Program {
  const nodes = program.plan.nodes.map(
    (node): PlanNode => (node.kind === 'source' ? { ...node, timing: WATERMARK } : node),
  );
  return { ...program, plan: { ...program.plan, nodes } };
}

interface Event {
  readonly which: 'events' | 'names' | 'rates' | 'prices';
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}

/** In the order of time: then nothing is late, and it does not matter whether time moves before or behind a record. */
const events = fc
  .array(
    fc.record({
      which: fc.constantFrom(
        'events' as const,
        'events' as const,
        'names' as const,
        'rates' as const,
        'prices' as const,
      ),
      key: fc.constantFrom('a', 'b', 'é'),
      value: fc.nat(9),
      later: fc.nat(6),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((rows) => {
    let timestamp = 20;
    return rows.map(({ which, key, value, later }): Event => {
      timestamp += later;
      return { which, key, value, timestamp };
    });
  });

interface Written {
  /** While records came, and with what came when all had ended. */
  readonly before: readonly string[];
  readonly all: readonly string[];
  readonly dropped: object;
}

/** All that is written, in whatever order. */
async function written(program: Program, rows: readonly Event[]): Promise<Written> {
  const driver = await TopologyDriver.open(program);
  for (const { which, key, value, timestamp } of rows) {
    if (which === 'events') driver.input(EVENTS).send(key, value, { timestamp });
    else if (which === 'prices') driver.input(PRICES).send(key, value, { timestamp });
    else if (which === 'names') driver.input(NAMES).send(key, { name: `n${value}` }, { timestamp });
    else driver.input(RATES).send(key, { count: 1, sum: value, odd: true }, { timestamp });
    await driver.idle();
  }
  const before = outputs(driver, program);
  await driver.end();
  const all = [...before, ...outputs(driver, program)].toSorted();
  return { before, all, dropped: driver.dropped() };
}

function outputs(driver: TopologyDriver, program: Program): readonly string[] {
  return program.plan.topics.flatMap(({ name, key, value }) => {
    const serdes = { keySerde: program.code.serde(key), valueSerde: program.code.serde(value) };
    return driver
      .output({ name, partitions: 1, ...serdes } as typeof EVENTS)
      .read()
      .map((record) => JSON.stringify([name, record.key, record.value, record.timestamp]).replace(STREAM_TIME, '",'))
      .filter((line) => !DEPENDS.test(line));
  });
}

/**
 * Where the right one has to be some way behind, a side keeps records for less than the window is long; for how long that
 * is, is measured by the clock of the side or of the stage. And whether a custom window merges with one that the record
 * at hand would close depends on whether the clock has moved before it.
 */
const DEPENDS = /"n\d~|^\["merged/;

/**
 * Whether an update that is held back for a while is let out or replaced by the next hangs on the clock too: on whether
 * it moves before the record, and by which records. So each way has a model of its own.
 */
const HELD_NAMES = /^\["names-out/;

function heldNames(rows: readonly Event[], byStage: boolean): readonly string[] {
  const held = new Map<string, { readonly place: number; readonly line: string }>();
  const out: string[] = [];
  const letOut = (clock: number) => {
    for (;;) {
      const [first] = [...held].toSorted(([a, one], [b, other]) => one.place - other.place || (a < b ? -1 : 1));
      if (first === undefined || (first[1].place > clock - 6 && held.size <= 2)) return;
      held.delete(first[0]);
      out.push(first[1].line);
    }
  };
  let clock = -1;
  for (const { which, key, value, timestamp } of rows) {
    if (which === 'names') {
      if (!byStage) clock = timestamp;
      const line = JSON.stringify(['names-out', key, { name: `n${value}` }, timestamp]);
      held.set(key, { place: held.get(key)?.place ?? timestamp, line });
      letOut(clock);
    }
    if (!byStage) continue;
    clock = timestamp;
    letOut(clock);
  }
  letOut(Number.POSITIVE_INFINITY);
  return out.toSorted();
}

/**
 * A buffer behind windows goes by a clock that open ones hold back, so its rows may come later than by its own, by as
 * long as a window is open.
 */
const BEHIND = /^\["held-/;
const OPEN_MS = TUMBLE.sizeMs + TUMBLE.graceMs;

/** What a processor says of stream time, which by the clock of the stage moves behind the record. */
const STREAM_TIME = / -?\d+",/;

async function sameByStage(program: Program, kinds: readonly Event['which'][]): Promise<void> {
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      const rows = all.filter(({ which }) => kinds.includes(which));
      const own = await written(program, rows);
      const byStage = await written(clocked(program), rows);
      const others = (lines: readonly string[]) => lines.filter((line) => !HELD_NAMES.test(line));
      assert.deepEqual(others(byStage.all), others(own.all));
      if (program.plan.topics.some(({ name }) => name === 'names-out')) {
        const names = (lines: readonly string[]) => lines.filter((line) => HELD_NAMES.test(line));
        assert.deepEqual(names(own.all), heldNames(rows, false));
        assert.deepEqual(names(byStage.all), heldNames(rows, true));
      }
      assert.deepEqual(byStage.dropped, own.dropped);
      const soFar = byStage.before.toSorted();
      const earlier = rows.filter(({ timestamp }) => timestamp <= rows.at(-1)!.timestamp - OPEN_MS);
      const behind = program.plan.topics.some(({ name }) => name.startsWith('held-'))
        ? (await written(program, earlier)).before
        : [];
      const due = [
        ...others(own.before).filter((each) => !BEHIND.test(each)),
        ...behind.filter((each) => BEHIND.test(each)),
      ];
      for (const line of due.toSorted()) {
        const at = soFar.indexOf(line);
        assert.ok(at >= 0, `${line} comes with no clock's move`);
        soFar.splice(at, 1);
      }
    }),
    { numRuns: 60, seed: 77, endOnFailure: true },
  );
}

test('every operator puts out the same by the clock of its stage as by its own', () =>
  sameByStage(everyNode(), ['events', 'names', 'rates']));

test('so do windows of every kind', () => sameByStage(windowsOfEveryKind(), ['events']));

test('so does a join of streams, whose unmatched records come when the clock has passed them', () => {
  const app = topology('unmatched');
  const [left, right] = [app.stream(EVENTS), app.stream(PRICES)];
  const out = (name: string) => topic(name, { key: string(), value: string(), partitions: 1 });
  const within = { before: 5, after: 9, grace: 4 };
  const merge = (a: number | null, b: number | null) => `${a}+${b}`;
  const formats = { left: int64(), right: int64() };
  left.leftJoinStream(right, { name: 'left', within, merge, ...formats }).to(out('left-out'));
  left.outerJoinStream(right, { name: 'outer', within, merge, ...formats }).to(out('outer-out'));
  return sameByStage(app.build(), ['events', 'prices']);
});

test('so does a join with grace, with a table that forgets nothing meanwhile', () => {
  const app = topology('waiting');
  const prices = app.table(PRICES, { store: 'prices', history: 10_000 });
  app
    .stream(EVENTS)
    .joinTable(prices, { name: 'later', grace: 6, value: int64(), merge: (value, price) => `${value}*${price}` })
    .to(topic('joined', { key: string(), value: string(), partitions: 1 }));
  return sameByStage(app.build(), ['events', 'prices']);
});

test('records that wait ahead of the clock of their stage come out when all has ended', async () => {
  const app = topology('ahead-at-end');
  const prices = app.table(PRICES, { store: 'prices', history: 10_000 });
  const joined = topic('joined', { key: string(), value: string(), partitions: 1 });
  app
    .stream(EVENTS, { watermark: { maxOutOfOrderness: 50 } })
    .leftJoinTable(prices, { name: 'later', grace: 6, value: int64(), merge: (value, price) => `${value}*${price}` })
    .to(joined);
  const driver = await TopologyDriver.open(app);
  driver.input(PRICES).send('a', 7, { timestamp: 90 });
  for (const timestamp of [100, 140]) driver.input(EVENTS).send('a', timestamp, { timestamp });
  await driver.end();
  assert.deepEqual(
    driver
      .output(joined)
      .read()
      .map(({ value }) => value),
    ['100*7', '140*7'],
  );
});

test('what is ahead of the clock of its stage is remembered too', async () => {
  const app = topology('ahead');
  const events = app.stream(EVENTS, { watermark: { maxOutOfOrderness: 50 } });
  const out = (name: string) => topic(name, { key: string(), value: int64(), partitions: 1 });
  events.deduplicate({ within: 10, store: 'seen' }).to(out('first'));
  const fn = (value: number, previous: number) => value - previous;
  events.difference({ within: 10, store: 'before', fn }).to(out('differences'));
  const driver = await TopologyDriver.open(app);
  const input = driver.input(EVENTS);
  for (const [value, timestamp] of [
    [1, 101],
    [4, 103],
    [9, 108],
    [16, 95],
  ] as const)
    input.send('a', value, { timestamp });
  const values = (name: string) =>
    driver
      .output(out(name))
      .read()
      .map(({ value }) => value);
  assert.deepEqual(values('first'), [1]);
  assert.deepEqual(values('differences'), [3, 5]);
});
