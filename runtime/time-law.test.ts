import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { type DriveOptions, drive, type InputRecord } from './driven.testing.ts';
import { TopologyDriver } from './testing.ts';
import {
  type Counts,
  GRACE,
  type LawEvent,
  lawInput,
  lawOutput,
  lawProgram,
  lawTotals,
  SIZE,
  sortTotals,
  type Total,
} from './time-law.testing.ts';

const COUNTS: readonly Counts[] = [
  { sources: 1, middle: 1, last: 1 },
  { sources: 1, middle: 7, last: 2 },
  { sources: 2, middle: 1, last: 7 },
  { sources: 3, middle: 2, last: 1 },
  { sources: 4, middle: 7, last: 2 },
];

/** Time goes on, and each record is at most the grace behind it. */
const events: fc.Arbitrary<readonly LawEvent[]> = fc
  .array(fc.record({ value: fc.nat(99), later: fc.nat(4), back: fc.nat(GRACE), partition: fc.nat(11) }), {
    minLength: 1,
    maxLength: 120,
    size: 'max',
  })
  .map((rows) => {
    let time = GRACE;
    return rows.map(({ value, later, back, partition }) => {
      time += later;
      return { value, timestamp: time - back, partition };
    });
  });

function inputOf(rows: readonly LawEvent[], sources: number): readonly InputRecord[] {
  return rows.map(({ value, timestamp, partition }) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return { partition: partition % sources, key: Buffer.from('x'), value: bytes, timestamp };
  });
}

/** Each task of a stage runs alone from its first record to its last: the most uneven of all schedules. */
async function driven(counts: Counts, rows: readonly LawEvent[], options: DriveOptions) {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  try {
    const inputs = new Map([['in', inputOf(rows, counts.sources)]]);
    const { outputs, drops, crashes } = await drive(log, lawProgram(counts), inputs, options);
    const lines = Object.entries(outputs).flatMap(([name, each]) => (name.startsWith('out/') ? each : []));
    return { totals: sortTotals(lines.map(totalOf)), drops, crashes };
  } finally {
    await log.close();
  }
}

function totalOf(line: string): Total {
  const [, key, value] = JSON.parse(line) as [number, string, string];
  return {
    key: key.slice(0, -8),
    start: Number(Buffer.from(key.slice(-8), 'latin1').readBigInt64BE()),
    value: Number(Buffer.from(value, 'latin1').readBigInt64BE()),
  };
}

test('hard-places 14 and 20: partitions, schedules, commits and crashes change nothing', async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(events, fc.nat(), fc.constantFrom(0, 15), async (rows, seed, crashEvery) => {
      const expected = lawTotals(rows);
      for (const counts of COUNTS) {
        const run = await driven(counts, rows, { seed, crashEvery });
        assert.deepEqual(run.totals, expected, JSON.stringify(counts));
        if (run.crashes === 0) assert.deepEqual(run.drops, {}, JSON.stringify(counts));
        crashes += run.crashes;
      }
    }),
    { numRuns: 25, seed: 14, endOnFailure: true },
  );
  assert.ok(crashes > 20, `${crashes} crashes`);
});

test('hard-places 14 and 20: record by record, with several tasks before it a window closes without a record', async () => {
  await fc.assert(
    fc.asyncProperty(events, async (rows) => {
      for (const counts of COUNTS) {
        const driver = await TopologyDriver.open(lawProgram(counts));
        const input = driver.input(lawInput(counts.sources));
        const output = driver.output(lawOutput(counts.last));
        const totals: Total[] = [];
        const take = () => {
          for (const { key, value } of output.read()) totals.push({ key: key.key, start: key.start, value });
        };
        let latest = -1;
        for (const [i, { value, timestamp, partition }] of rows.entries()) {
          input.send('x', value, { timestamp, partition: partition % counts.sources });
          latest = Math.max(latest, timestamp);
          if (counts.sources === 1) continue;
          take();
          const out = totals.map((total) => JSON.stringify(total));
          for (const due of lawTotals(rows.slice(0, i + 1), latest - SIZE - GRACE)) {
            assert.ok(out.includes(JSON.stringify(due)), `${JSON.stringify(due)} is not out at ${latest}`);
          }
        }
        await driver.end();
        take();
        assert.deepEqual(sortTotals(totals), lawTotals(rows), JSON.stringify(counts));
        assert.deepEqual(driver.dropped(), {}, JSON.stringify(counts));
      }
    }),
    { numRuns: 40, seed: 15, endOnFailure: true },
  );
});
