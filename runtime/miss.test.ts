import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { ProcessContext, Processor } from '../operators/operators.ts';
import { int64, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import { randomTopology } from '../topology/random-topology.testing.ts';
import {
  counts,
  keyValueStore,
  type Program,
  session,
  sliding,
  topic,
  topology,
  tumbling,
} from '../topology/topology.ts';
import { type Driven, type DriveOptions, drive, type InputRecord, type Inputs } from './driven.testing.ts';
import { PlanIndex } from './stage.ts';
import { StageTimes } from './stage-times.ts';

const KEYED = { key: string(), partitions: 2 } as const;
const events = topic('events', { ...KEYED, value: string() });
const names = topic('names', { ...KEYED, value: string() });

/** Reads and writes a store in every way there is, and hides whatever a read throws. */
class Remember implements Processor<string, string, string, string> {
  process(value: string, key: string | null, context: ProcessContext<string, string>): void {
    const store = context.store<string, string>('remembered');
    const id = key ?? 'none';
    let before: string | undefined;
    try {
      before = store.get(id) ?? '-';
    } catch {
      before = 'swallowed';
    }
    context.forward(id, `${before}>${value}`);
    store.put(id, value);
    if (value.endsWith('7')) {
      try {
        const range = [...store.range('k1', 'k3')].map(([each, row]) => `${each}:${row}`);
        context.forward(id, range.join(','));
      } catch {
        context.forward(id, 'swallowed');
      }
    }
    if (value.endsWith('9')) store.delete(id);
  }
}

/** Aggregates, joins, a user's processor, and code that fails on some records behind all that. */
function mixed(): Program {
  const app = topology('mixed');
  const stream = app.stream(events);
  const table = app.table(names, { store: 'names' });
  const out = (name: string) => topic(name, { ...KEYED, value: string() });
  const windows = { size: 50, grace: 20 };
  stream
    .groupByKey()
    .window(tumbling(windows.size, { grace: windows.grace }))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .to(topic('finals', { key: windowed(string(), windows.size), value: int64(), partitions: 2 }));
  const grouped = stream.groupByKey();
  const numbered = <K>(name: string, key: Serde<Windowed<K>>) => topic(name, { key, value: int64(), partitions: 2 });
  const sessions = grouped.window(session({ gap: 15, grace: 20 })).count({ store: 'sessions' });
  sessions
    .toStream()
    .mapValues((count) => `${count}`)
    .to(topic('session-updates', { key: sessionWindowed(string()), value: string(), partitions: 2 }));
  sessions
    .suppress()
    .toStream()
    .to(numbered('sessions-out', sessionWindowed(string())));
  const slides = grouped
    .window(sliding({ difference: 20, grace: 9 }))
    .emitOnClose()
    .count({ store: 'slides' });
  slides.toStream().to(numbered('slides-out', windowed(string(), 20)));
  const visits = grouped.window(session({ gap: (value) => value?.length ?? 9, grace: 30 })).aggregate({
    store: 'visits',
    value: string(),
    initial: () => '',
    add: (all, one) => all + one,
    merge: (a, b) => a + b,
  });
  visits
    .toStream()
    .leftJoinTable(visits, { merge: (own, again) => `${own}=${again}` })
    .to(topic('visits-out', { key: sessionWindowed(string()), value: string(), partitions: 2 }));
  const threes = grouped
    .window(counts({ size: 3, every: 2 }))
    .emitOnClose()
    .count({ store: 'threes' });
  threes.toStream().to(numbered('threes-out', sessionWindowed(string())));
  stream
    .groupByKey()
    .reduce({ store: 'texts', value: string(), add: (all, next) => `${all.slice(-20)}|${next}` })
    .toStream()
    .to(out('texts-out'));
  stream.leftJoinTable(table, { merge: (value, name) => `${value}=${name}` }).to(out('joined'));
  stream
    .outerJoinStream(table.toStream(), {
      name: 'near',
      within: { before: 30, after: 45, grace: 10 },
      merge: (value, name) => `${value}~${name}`,
    })
    .to(out('near'));
  stream
    .process<string>({
      name: 'remember',
      stores: [keyValueStore('remembered', { key: string(), value: string() })],
      supplier: () => new Remember(),
      value: string(),
    })
    .mapValues((value) => {
      if (value.endsWith('3')) throw new Error('no threes');
      return value;
    })
    .to(out('remembered-out'));
  return app.build();
}

/** Records with some disorder, some null values, and keys enough that few are hot. */
function recordsOf(seed: number, count: number, partitions: number, value: (n: number) => Buffer): InputRecord[] {
  const random = seededRandom(seed);
  let time = 100;
  return Array.from({ length: count }, (_, n) => {
    time += randomInt(random, 5);
    const key = `k${randomInt(random, 40)}`;
    const partition = [...key].reduce((sum, each) => sum + each.charCodeAt(0), 0) % partitions;
    const timestamp = Math.max(0, time - randomInt(random, 12) * randomInt(random, 8));
    return { partition, key: Buffer.from(key), value: randomInt(random, 25) === 0 ? null : value(n), timestamp };
  });
}

async function inFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-miss-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const ways = fc.record({
  seed: fc.nat(),
  stateBytes: fc.constantFrom(1, 30_000, 300_000),
  crashEvery: fc.constantFrom(0, 0, 25),
});

async function driveAlone(program: Program, inputs: Inputs, way: DriveOptions): Promise<Driven> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  try {
    return await drive(log, program, inputs, way);
  } finally {
    await log.close();
  }
}

/**
 * A random topology of which no stage has a clock of its own. In one that has, how far its clock is when a record comes
 * hangs on what other tasks have told by then, so what is later than any grace may be late or not: `time-law.test.ts`.
 */
function untimed(seed: number, size: number): { readonly program: Program; readonly inputs: readonly Input[] } {
  for (let next = seed % 100_000; ; next++) {
    const { topology: app, inputs } = randomTopology(next, size);
    const program = app.build();
    const tasks = program.plan.stages.flatMap(({ id, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ id: `${id}_${partition}`, stage: id })),
    );
    const times = new StageTimes(new PlanIndex(program.plan), tasks);
    if (!program.plan.stages.some((stage) => times.hasClock(stage))) return { program, inputs };
  }
}

type Input = ReturnType<typeof randomTopology>['inputs'][number];

/** Drives a program in some way and compares it with the plainest way; answers the figures. */
async function compare(program: Program, inputs: Inputs, way: DriveOptions): Promise<Driven> {
  const { onFailure = 'fail' } = way;
  const plain = await driveAlone(program, inputs, { onFailure });
  assert.equal(plain.misses + plain.crashes, 0);
  const driven = await inFolder((directory) => driveAlone(program, inputs, { ...way, directory }));
  assert.deepEqual(driven.outputs, plain.outputs);
  if (driven.crashes === 0) assert.deepEqual(driven.drops, plain.drops);
  return driven;
}

test('hard-places 1: what comes out depends on no size, no commit, no bound of memory and no crash', async () => {
  const sum = { coldReads: 0, misses: 0, crashes: 0, commits: 0, dead: 0 };
  const program = mixed();
  await fc.assert(
    fc.asyncProperty(fc.nat(), ways, async (seed, way) => {
      const inputs = new Map([
        ['events', recordsOf(seed, 300, 2, (n) => Buffer.from(`e${n % 10}`))],
        ['names', recordsOf(seed + 1, 100, 2, (n) => Buffer.from(`n${n}`))],
      ]);
      const driven = await compare(program, inputs, { ...way, onFailure: 'dead-letter' });
      const text = JSON.stringify(driven.outputs);
      assert.ok(!text.includes('swallowed'), 'a miss was swallowed');
      sum.dead += driven.outputs['nf.mixed.dead-letters/0']!.length;
      sum.coldReads += driven.coldReads;
      sum.misses += driven.misses;
      sum.crashes += driven.crashes;
      sum.commits += driven.commits;
    }),
    { numRuns: 16, seed: 20261 },
  );
  assert.ok(sum.coldReads > 100 && sum.misses > 100, JSON.stringify(sum));
  assert.ok(sum.crashes > 5 && sum.dead > 100, JSON.stringify(sum));
});

test('hard-places 1: so it is for random topologies', async () => {
  const sum = { coldReads: 0, misses: 0, crashes: 0, stores: 0 };
  await fc.assert(
    fc.asyncProperty(fc.nat(), ways, async (seed, way) => {
      const { program, inputs } = untimed(seed, 10);
      const value = (n: number) => Buffer.from(JSON.stringify({ n }));
      const data = new Map(inputs.map(({ name, partitions }, i) => [name, recordsOf(seed + i, 60, partitions, value)]));
      const driven = await compare(program, data, { ...way, onFailure: 'skip' });
      sum.stores += program.plan.stores.length;
      sum.coldReads += driven.coldReads;
      sum.misses += driven.misses;
      sum.crashes += driven.crashes;
    }),
    { numRuns: 16, seed: 20262 },
  );
  assert.ok(sum.coldReads > 20 && sum.misses > 20 && sum.crashes > 5 && sum.stores > 5, JSON.stringify(sum));
});
