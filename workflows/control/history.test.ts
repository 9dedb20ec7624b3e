import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { systemClock } from '../../core/clock.ts';
import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { EVENTS_TOPIC, encodeStep, type StepEvent, type StepRecord } from '../../events/events.ts';
import { BatchBuilder } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { dueTimeOfId, newExecutionId, timeOfId } from './execution-ids.ts';
import { Histories } from './history.ts';

const ENDED: StepEvent = { type: 'ended', status: 'COMPLETED', degraded: false, output: 1, error: null };

/** A log that notes where readers begin. */
class NotingLog {
  readonly log: Log;
  readonly begun: number[] = [];

  private constructor(log: Log) {
    this.log = {
      ...{ admin: log.admin, producer: (options) => log.producer(options), close: () => log.close() },
      reader: (options) => {
        const reader = log.reader(options);
        const { assign } = reader;
        reader.assign = (places) => {
          this.begun.push(...places.map(({ position }) => position));
          assign.call(reader, places);
        };
        return reader;
      },
    } as Log;
  }

  static async open(): Promise<NotingLog> {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    await log.admin.create(EVENTS_TOPIC, { partitions: 1 });
    return new NotingLog(log);
  }
}

async function append(log: Log, records: readonly StepRecord[], perBatch = 1): Promise<void> {
  const producer = await log.producer({});
  for (let from = 0; from < records.length; from += perBatch) {
    const step = new Step();
    const builder = new BatchBuilder(step);
    step.begin();
    for (const record of records.slice(from, from + perBatch)) {
      const value = encodeStep(record);
      const key = Buffer.from(record.execution);
      builder.append(record.at, key, 0, key.length, value, 0, value.length);
    }
    step.settle();
    await producer.append(EVENTS_TOPIC, 0, builder.finish());
  }
  await producer.close();
}

function step(execution: string, seq: number, at: number, events: readonly StepEvent[] = []): StepRecord {
  return { execution, seq, revision: 0, definition: 'h', at, cause: { kind: 'continue' }, events };
}

/** Executions among each other on a clock that jumps; the times of each only rise, as the coordinator sees to it. */
function steps(random: Random, count: number): readonly StepRecord[] {
  const last = new Map<string, StepRecord>();
  const ended = new Set<string>();
  let now = 1_000_000;
  return Array.from({ length: count }, () => {
    now += random.next() < 0.2 ? randomInt(random, 2000) - 1000 : randomInt(random, 5);
    const execution = `x${randomInt(random, 30)}`;
    const before = last.get(execution);
    if (ended.has(execution) || random.next() < 0.1) return step(execution, 0, now);
    const isEnd = random.next() < 0.1;
    const record = step(execution, (before?.seq ?? 0) + 1, Math.max(now, before?.at ?? 0), isEnd ? [ENDED] : []);
    last.set(execution, record);
    if (isEnd) ended.add(execution);
    return record;
  });
}

test('no step is missed, whatever is said of where and when the execution began, and whatever the clock did', async () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 31 });
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const random = seededRandom(seed);
      const { log } = await NotingLog.open();
      const all = steps(random, 200);
      let hint: number | undefined;
      const place = async () => {
        if (random.next() < 0.2) throw new Error('it is away');
        return hint === undefined ? undefined : { first: hint };
      };
      const histories = new Histories({ log, partitions: 1, place });
      for (let written = 0; written < all.length; ) {
        const more = 1 + randomInt(random, 60);
        await append(log, all.slice(written, written + more), 1 + randomInt(random, 4));
        written = Math.min(all.length, written + more);
        for (let n = 0; n < 10; n++) {
          const execution = `x${randomInt(random, 31)}`;
          const expected = all.slice(0, written).filter((each) => each.execution === execution && each.seq > 0);
          hint = random.next() < 0.5 ? randomInt(random, 2 * written) : undefined;
          const dice = random.next();
          const startedAt = dice < 0.4 ? expected[0]?.at : dice < 0.6 ? 1_000_000 + randomInt(random, 3000) : undefined;
          const decided = random.next() < 0.5;
          const seq = random.next() < 0.3 ? 1 + randomInt(random, 6) : Number.POSITIVE_INFINITY;
          const found = await histories.read(execution, { startedAt, decided, seq });
          if (seq === Number.POSITIVE_INFINITY) assert.deepEqual(found, expected);
          else {
            assert.deepEqual(found, expected.slice(0, found.length));
            assert.ok(found.length >= Math.min(seq, expected.length));
          }
        }
      }
      await log.close();
    }),
    { numRuns: 60, seed: 7 },
  );
});

test('reading begins at the first step, and of what has ended at no step any more', async () => {
  const noting = await NotingLog.open();
  const { log } = noting;
  const foreign = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => step(`f${from + i}`, 1, from + i, [ENDED]));
  await append(log, foreign(0, 20_000), 100);
  await append(log, [step('mine', 1, 20_000)]);
  await append(log, foreign(20_001, 500), 100);
  await append(log, [step('mine', 2, 20_501, [ENDED])]);
  await append(log, foreign(20_502, 20_000), 100);
  const expected = [1, 2];
  const read = async (histories: Histories, startedAt?: number) => {
    noting.begun.length = 0;
    const found = (await histories.read('mine', { startedAt })).map(({ seq }) => seq);
    assert.deepEqual(found, expected);
    return noting;
  };
  const known = new Histories({ log, partitions: 1 });
  assert.deepEqual((await read(known, 20_000)).begun, [20_000]);
  assert.deepEqual((await read(known)).begun, [], 'it has ended and is known');
  const placed = new Histories({ log, partitions: 1, place: async () => ({ first: 20_000 }) });
  assert.deepEqual((await read(placed)).begun, [20_000]);
  assert.deepEqual((await read(new Histories({ log, partitions: 1 }))).begun, [0], 'nothing tells where it began');
  await log.close();
});

test('of one that runs, only what has come is read again', async () => {
  const noting = await NotingLog.open();
  const { log } = noting;
  const histories = new Histories({ log, partitions: 1 });
  await append(log, [step('mine', 1, 1), step('other', 1, 2)]);
  assert.equal((await histories.read('mine')).length, 1);
  await append(log, [step('mine', 2, 3), step('mine', 3, 4, [ENDED])]);
  noting.begun.length = 0;
  assert.deepEqual(
    (await histories.read('mine')).map(({ seq }) => seq),
    [1, 2, 3],
  );
  assert.deepEqual(noting.begun, [2]);
  await log.close();
});

test('what is not there is looked for once', async () => {
  const noting = await NotingLog.open();
  const { log } = noting;
  const histories = new Histories({ log, partitions: 1 });
  await append(log, [step('other', 1, 1), step('other', 2, 2)]);
  for (let n = 0; n < 3; n++) assert.deepEqual(await histories.read('mine', { startedAt: 2 }), []);
  assert.deepEqual(noting.begun, [1, 0]);
  await append(log, [step('mine', 1, 1)]);
  assert.equal((await histories.read('mine')).length, 1);
  assert.deepEqual(noting.begun, [1, 0, 2]);
  await log.close();
});

test('ids that are made here tell their time', () => {
  for (const at of [0, 1, 1_700_000_000_123, Date.UTC(2500, 0)]) {
    assert.equal(timeOfId(newExecutionId(at)), at);
    assert.equal(timeOfId(`${newExecutionId(at)}/pay/0/`), at);
  }
  for (const id of ['x1', 'order-7', 'a'.repeat(24), `${'0'.repeat(25)}g`]) assert.equal(timeOfId(id), undefined);
  assert.equal(dueTimeOfId('nightly@2026-01-02T03:04:05Z'), Date.UTC(2026, 0, 2, 3, 4, 5));
  assert.equal(dueTimeOfId('a@b'), undefined);
});
