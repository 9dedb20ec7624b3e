import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../core/clock.ts';
import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { Bench, batchAt } from '../conformance/bench.conformance.ts';
import type { Log } from '../log.ts';
import { createFileLog, type FileLog } from './file.ts';
import { SimulatedDisk } from './simulated-disk.fixture.ts';

const OPTIONS = { journalBytes: 6000, embedBytes: 700, maintainMs: 0 };
const PARTITIONS = 2;

/** What one commit, or one append outside of transactions, wanted. */
interface Attempt {
  readonly values: { readonly partition: number; readonly value: string; position: number }[];
  /** The group position it sent, 0 for none. */
  readonly mark: number;
  outcome: 'never' | 'unknown' | 'answered';
}

class Life {
  readonly disk: SimulatedDisk;
  readonly random: Random;
  readonly attempts: Attempt[] = [];
  log!: FileLog;
  #serial = 0;
  #clock = new VirtualClock(1_700_000_000_000);

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.disk = new SimulatedDisk(this.random);
  }

  async open(): Promise<void> {
    this.log = await createFileLog({ directory: '/log', clock: this.#clock, fs: this.disk.mount(), options: OPTIONS });
  }

  /** Starts something; it may go on while the next begins. */
  act(): Promise<unknown> {
    const kind = randomInt(this.random, 10);
    if (kind < 3) return this.#append();
    if (kind < 8) return this.#transaction();
    if (kind < 9) return this.log.checkpoint();
    return this.log.maintain();
  }

  #batch(attempt: Attempt, partition: number): { readonly bytes: Buffer; note(position: number): void } {
    const count = 1 + randomInt(this.random, 4);
    const values: Attempt['values'] = [];
    for (let i = 0; i < count; i++) {
      const value = `${this.#serial++}:`.padEnd(10 + randomInt(this.random, 150), 'x');
      values.push({ partition, value, position: -1 });
    }
    attempt.values.push(...values);
    return {
      bytes: batchAt(1_700_000_000_000, ...values.map(({ value }) => `${value}=${value}`)),
      note: (position) => {
        values.forEach((each, i) => {
          each.position = position + i;
        });
      },
    };
  }

  async #append(): Promise<void> {
    const attempt: Attempt = { values: [], mark: 0, outcome: 'unknown' };
    this.attempts.push(attempt);
    const partition = randomInt(this.random, PARTITIONS);
    const { bytes, note } = this.#batch(attempt, partition);
    const producer = await this.log.producer({});
    note(await producer.append('t', partition, bytes));
    attempt.outcome = 'answered';
  }

  async #transaction(): Promise<void> {
    const attempt: Attempt = { values: [], mark: this.#serial++, outcome: 'never' };
    this.attempts.push(attempt);
    const ending = randomInt(this.random, 6);
    const producer = await this.log.producer({ transactionalId: `x${randomInt(this.random, 3)}` });
    producer.begin();
    for (let n = randomInt(this.random, 5); n >= 0; n--) {
      const partition = randomInt(this.random, PARTITIONS);
      const { bytes, note } = this.#batch(attempt, partition);
      note(await producer.append('t', partition, bytes));
      if (this.random.next() < 0.2) await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === 0) return;
    if (ending === 1) return await producer.abort();
    attempt.outcome = 'unknown';
    await producer.commit();
    attempt.outcome = 'answered';
  }
}

async function readAll(log: Log): Promise<Map<string, number>> {
  const bench = new Bench({ log, clock: new VirtualClock(), close: async () => undefined });
  const seen = new Map<string, number>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let before = -1;
    for (const { value, position } of await bench.read('t', 'committed', undefined, partition)) {
      assert.ok(position > before, `positions rise: ${position} after ${before}`);
      before = position;
      assert.ok(!seen.has(value!), `${value} is there twice`);
      seen.set(value!, position);
    }
  }
  return seen;
}

/** Nothing answered is lost, nothing else is seen, an unknown one is whole or absent and stays so. */
function judge(attempts: readonly Attempt[], seen: ReadonlyMap<string, number>): void {
  let count = 0;
  for (const attempt of attempts) {
    const there = attempt.values.filter(({ value }) => seen.has(value)).length;
    if (attempt.outcome === 'unknown') attempt.outcome = there > 0 ? 'answered' : 'never';
    const expected = attempt.outcome === 'answered' ? attempt.values.length : 0;
    const first = attempt.values[0]?.value.split(':')[0];
    assert.equal(
      there,
      expected,
      `attempt of ${first} (${attempt.outcome}) shows ${there} of ${attempt.values.length}`,
    );
    for (const { value, position } of attempt.values) {
      if (seen.has(value) && position >= 0) assert.equal(seen.get(value), position, `${value} kept its position`);
    }
    count += there;
  }
  assert.equal(count, seen.size, 'nothing is seen that nobody wrote');
}

test('a loss of power loses nothing answered and shows nothing uncommitted, again and again', async (t) => {
  const totals = { crashes: 0, lostSectors: 0, lostNames: 0, answered: 0, never: 0, recoveryCrashes: 0 };
  const property = fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
    const life = new Life(seed);
    await life.open();
    // Every key is written once, so that compaction may take only what was aborted.
    const cleanup = seed % 2 === 0 ? 'compact' : 'none';
    await life.log.admin.create('t', { partitions: PARTITIONS, segmentBytes: 1500, cleanup });
    for (let round = 0; round < 4; round++) {
      const running: Promise<unknown>[] = [];
      for (let n = 5 + randomInt(life.random, 20); n > 0; n--) {
        const act = life.act().catch(() => undefined);
        running.push(act);
        if (life.random.next() < 0.6) await act;
      }
      for (let turns = randomInt(life.random, 60); turns > 0; turns--) await undefined;
      life.disk.crash();
      await Promise.allSettled(running);
      if (life.random.next() < 0.5) {
        const opening = life.open().catch(() => undefined);
        for (let turns = randomInt(life.random, 300); turns > 0; turns--) await undefined;
        life.disk.crash();
        totals.recoveryCrashes++;
        await opening;
      }
      await life.open();
      judge(life.attempts, await readAll(life.log));
    }
    await life.log.close();
    await life.open();
    judge(life.attempts, await readAll(life.log));
    await life.log.close();
    totals.crashes += life.disk.counts.crashes;
    totals.lostSectors += life.disk.counts.lostSectors;
    totals.lostNames += life.disk.counts.lostNames;
    for (const { outcome } of life.attempts) if (outcome !== 'unknown') totals[outcome]++;
  });
  await fc.assert(property, { numRuns: Number(process.env['NODEFLOW_CRASH_RUNS'] ?? 40), seed: 20260101 });
  t.diagnostic(JSON.stringify(totals));
  for (const [name, count] of Object.entries(totals)) assert.ok(count > 0, `${name} happened`);
});
