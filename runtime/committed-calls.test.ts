import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { string } from '../schemas/schemas.ts';
import type { CallBegin } from '../topology/plan.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { drive, type InputRecord, type Inputs } from './driven.testing.ts';

const KEYED = { key: string(), value: string(), partitions: 2 } as const;
const events = topic('events', KEYED);
const out = topic('out', KEYED);

/** Calls behind calls that end in any order: behind a crash their records come in another one. */
function program(begin: CallBegin, called: (record: string, value: string) => void): Program {
  const random = seededRandom(8);
  const later = async (value: string) => {
    for (let turns = randomInt(random, 4); turns > 0; turns--) await systemClock.turn();
    return value;
  };
  const app = topology('committed');
  app
    .stream(events)
    .mapAsync({ name: 'before', concurrency: 4, order: 'none', value: string(), fn: (value) => later(value) })
    .mapAsync({
      ...{ name: 'ask', concurrency: 5, order: 'none', begin, input: string(), value: string() },
      fn(value, _key, { record }) {
        called(record, value);
        return later(`<${value}>`);
      },
    })
    .to(out);
  return app.build();
}

const COUNT = 80;

const INPUTS: Inputs = new Map([
  [
    'events',
    Array.from({ length: COUNT }, (_, i): InputRecord => {
      return { partition: i % 2, key: Buffer.from(`k${i % 5}`), value: Buffer.from(`${i}`), timestamp: i };
    }),
  ],
]);

/** What was called under each name, and what came out, over runs that crash. */
async function crashed(begin: CallBegin, seed: number) {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-committed-'));
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(5) });
  const called = new Map<string, Set<string>>();
  const made = program(begin, (record, value) => {
    const values = called.get(record) ?? new Set();
    called.set(record, values.add(value));
  });
  try {
    const { outputs, crashes } = await drive(log, made, INPUTS, { seed, directory, crashEvery: 20 });
    const lines = Object.entries(outputs).flatMap(([name, each]) => (name.startsWith('out/') ? each : []));
    return { called, crashes, results: lines.length, different: new Set(lines).size };
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const isAmbiguous = (called: ReadonlyMap<string, ReadonlySet<string>>) =>
  [...called.values()].some(({ size }) => size > 1);

// hard-places 18
test('a call that begins when its record is committed has the same name whenever it is made again', {
  timeout: 240_000,
}, async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const broken = await crashed('committed', seed);
      crashes += broken.crashes;
      assert.ok(!isAmbiguous(broken.called), 'a name has stood for two records');
      assert.deepEqual([broken.results, broken.different, broken.called.size], [COUNT, COUNT, COUNT]);
    }),
    { numRuns: 12, seed: 3 },
  );
  assert.ok(crashes > 10, `${crashes} crashes`);
});

test('and one that begins when its record is taken may have that of another', { timeout: 240_000 }, async () => {
  let ambiguous = 0;
  for (let seed = 0; seed < 12; seed++) if (isAmbiguous((await crashed('taken', seed)).called)) ambiguous++;
  assert.ok(ambiguous > 0);
});
