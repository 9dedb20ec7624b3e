import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { generator } from '../connectors/connectors.ts';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Program, topic, topology, tumbling } from '../topology/topology.ts';
import { type Driven, type DriveOptions, drive, type InputRecord, type Inputs } from './driven.testing.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const KEYED = { key: string(), partitions: 2 } as const;
const events = topic('events', { ...KEYED, value: string() });
const names = topic('names', { ...KEYED, value: string() });
const finals = { key: windowed(string(), 20), value: string(), partitions: 2 } as const;

/** Calls take some turns of the event loop. */
const random = seededRandom(31);
let calls = 0;
async function later<T>(value: T): Promise<T> {
  calls++;
  for (let turns = randomInt(random, 4); turns > 0; turns--) await systemClock.turn();
  return value;
}

/**
 * Calls one behind the other, with buffers and windows between them: scans run into operators that are full. All keep
 * the order of the partition, so that what comes out hangs on nothing but the inputs.
 */
function chain(): Program {
  const app = topology('chain');
  const table = app.table(names, { store: 'names', history: 1000 });
  const order = 'partition' as const;
  const stream = app.stream(events);
  stream
    .groupByKey()
    .window(tumbling(20, { grace: 5 }))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .mapAsync({ name: 'closed', concurrency: 1, order, fn: (count) => later(`${count}`) })
    .to(topic('finals', finals));
  stream
    .mapAsync({
      ...{ name: 'first', concurrency: 3, order, value: string() },
      fn(value) {
        if (value.endsWith('5')) throw new Error('never five');
        return later(`<${value}>`);
      },
    })
    .leftJoinTable(table, { name: 'waits', grace: 15, merge: (value, name) => `${value}${name}` })
    .mapAsync({ name: 'second', concurrency: 2, order, input: string(), value: string(), fn: (value) => later(value) })
    .groupByKey()
    .window(tumbling(20, { grace: 100 }))
    .reduce({ store: 'texts', value: string(), add: (all, text) => `${all}${text}` })
    .suppress()
    .toStream()
    .leftLookup({
      ...{ name: 'third', concurrency: 2, order, cache: { maxEntries: 3, ttl: 5 } },
      fn: ({ key }) => later(key === 'a' ? null : key),
      merge: (text, row) => `${text}/${row}`,
    })
    .to(topic('texts-out', finals));
  return app.build();
}

function someInputs(seed: number): Inputs {
  const own = seededRandom(seed);
  const key = () => Buffer.from(['a', 'b', 'c'][randomInt(own, 3)]!);
  let time = 10;
  const rows = Array.from({ length: 60 }, (_, i): InputRecord => {
    time += randomInt(own, 4);
    const timestamp = Math.max(1, time - randomInt(own, 8));
    return { partition: i % 2, key: key(), value: Buffer.from(`${i}`), timestamp };
  });
  const named = ['a', 'b'].flatMap((name) =>
    [0, 1].map((partition): InputRecord => {
      return { partition, key: Buffer.from(name), value: Buffer.from(name.toUpperCase()), timestamp: 0 };
    }),
  );
  return new Map([
    ['events', rows],
    ['names', named],
  ]);
}

/** Dead letters of several nodes come in any order. */
function outcome({ outputs }: Driven) {
  const all = Object.entries(outputs).map(([name, lines]) => [
    name,
    name.includes('dead-letters') ? lines.toSorted() : lines,
  ]);
  return Object.fromEntries(all);
}

async function driven(inputs: Inputs, options: DriveOptions): Promise<Driven> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(5) });
  const result = await drive(log, chain(), inputs, { onFailure: 'dead-letter', ...options });
  await log.close();
  return result;
}

// hard-places 18 and 1
test('what comes of calls is the same with cold rows, commits and crashes anywhere', { timeout: 240_000 }, async () => {
  let crashes = 0;
  let cold = 0;
  let most = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const directory = mkdtempSync(join(tmpdir(), 'nodeflow-calls-'));
      try {
        const inputs = someInputs(seed);
        calls = 0;
        const whole = await driven(inputs, {});
        const few = calls;
        const broken = await driven(inputs, { seed, directory, stateBytes: 20_000, crashEvery: 25 });
        most = Math.max(most, calls - 2 * few);
        crashes += broken.crashes;
        cold += broken.coldReads;
        assert.deepEqual(outcome(broken), outcome(whole));
        const lines = Object.entries(whole.outputs).map(
          ([name, { length }]) => [name.replace(/\/\d$/, ''), length] as const,
        );
        assert.equal(
          lines.filter(([name]) => name.includes('dead')).reduce((sum, [, n]) => sum + n, 0),
          6,
        );
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }),
    { numRuns: 12, seed: 61 },
  );
  assert.ok(crashes > 10 && most > 5, `${crashes} crashes, ${cold} cold reads, up to ${most} calls made again`);
});

test('a bounded run, drained now and then, ends when its calls have, with every result once', {
  timeout: 240_000,
}, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(3) });
  const numbers = topic('numbers', { ...KEYED, value: int64() });
  const out = topic('out', { ...KEYED, value: string() });
  const count = 3000;
  const define = () => {
    const app = topology('async-run');
    app
      .read(generator({ count, make: (n) => n }), {
        ...{ name: 'made', key: (n) => `k${n % 7}`, keySerde: string(), value: int64(), time: (n) => n },
      })
      .to(numbers);
    app
      .stream(numbers)
      .mapAsync({ name: 'ask', concurrency: 20, fn: (value, key) => later(`${key} ${value}`) })
      .to(out);
    return app.build();
  };
  let drained = 0;
  for (;;) {
    const run = await startRun({
      ...{ program: define(), log, clock: systemClock, telemetry: silentTelemetry(), directory: undefined },
      state: createStateBackend({}),
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, sliceRecords: 100 },
    });
    let ended = false;
    const finished = run.finished.finally(() => {
      ended = true;
    });
    while (!ended && run.progress().records < 1000) await systemClock.turn();
    if (!ended) await run.drain();
    if ((await finished).how === 'complete') break;
    drained++;
  }
  assert.ok(drained > 0);
  const results = (await readTopic(log, out)).map(({ value }) => value);
  assert.equal(results.length, count);
  for (let key = 0; key < 7; key++) {
    const own = results.flatMap((text) => (text.startsWith(`k${key} `) ? [Number(text.slice(3))] : []));
    assert.deepEqual(
      own,
      Array.from({ length: Math.ceil((count - key) / 7) }, (_, i) => key + 7 * i),
    );
  }
  await log.close();
});
