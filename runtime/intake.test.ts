import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { partitionName } from '../core/ids.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Fetched, Log, LogReader } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Topic, topic, topology } from '../topology/topology.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';

const ONE = { key: string(), value: int64(), partitions: 1 } as const;
const large = topic('large', ONE);
const small = topic('small', ONE);
const largeOut = topic('large-out', ONE);
const smallOut = topic('small-out', ONE);
const LARGE_RECORDS = 20_000;
const SMALL_RECORDS = 200;
const BATCH_RECORDS = 50;

async function fill(log: Log, target: Topic<string, number, number>, count: number): Promise<void> {
  await log.admin.create(target.name, { partitions: 1 });
  const producer = await log.producer({});
  const key = Buffer.from('k');
  for (let n = 0; n < count; ) {
    const builder = new BatchBuilder(new Step());
    for (let i = 0; i < BATCH_RECORDS && n < count; i++, n++) {
      const value = Buffer.alloc(8);
      value.writeBigInt64BE(BigInt(n));
      builder.append(n, key, 0, 1, value, 0, 8);
    }
    await producer.append(target.name, 0, builder.finish());
  }
  await producer.close();
}

interface Held {
  bytes: number;
  records: number;
  mostBytes: number;
  mostRecords: number;
}

/** What the readers of a log were told, and what of their buffers has not been given back. */
class Spy {
  readonly calls: string[] = [];
  readonly #held = new Map<string, Held>();

  of(name: string): Held {
    let held = this.#held.get(name);
    if (held === undefined) {
      held = { bytes: 0, records: 0, mostBytes: 0, mostRecords: 0 };
      this.#held.set(name, held);
    }
    return held;
  }

  wrap(log: Log): Log {
    return {
      capabilities: log.capabilities,
      admin: log.admin,
      reader: (options) => this.#reader(log.reader(options)),
      producer: (options) => log.producer(options),
      join: (options) => log.join(options),
      committed: (group, partitions) => log.committed(group, partitions),
      close: () => log.close(),
    };
  }

  #reader(reader: LogReader): LogReader {
    return {
      assign: (partitions) => reader.assign(partitions),
      unassign: (partitions) => reader.unassign(partitions),
      pause: (at) => {
        this.calls.push(`pause ${partitionName(at.topic, at.partition)}`);
        reader.pause(at);
      },
      resume: (at) => {
        this.calls.push(`resume ${partitionName(at.topic, at.partition)}`);
        reader.resume(at);
      },
      fetch: async (ms, signal) => (await reader.fetch(ms, signal)).map((fetched) => this.#take(fetched)),
      close: () => reader.close(),
    };
  }

  #take(fetched: Fetched): Fetched {
    const held = this.of(partitionName(fetched.topic, fetched.partition));
    const { length } = fetched.bytes;
    const records = fetched.next - fetched.position;
    held.bytes += length;
    held.records += records;
    held.mostBytes = Math.max(held.mostBytes, held.bytes);
    held.mostRecords = Math.max(held.mostRecords, held.records);
    let released = false;
    return {
      ...fetched,
      release: () => {
        if (!released) {
          held.bytes -= length;
          held.records -= records;
        }
        released = true;
        fetched.release();
      },
    };
  }
}

async function run(settings: { readonly intakeBytes?: number; readonly intakeRecords?: number }) {
  const spy = new Spy();
  const log = spy.wrap(createMemoryLog({ clock: systemClock, random: seededRandom(1) }));
  await fill(log, large, LARGE_RECORDS);
  await fill(log, small, SMALL_RECORDS);
  let taken = 0;
  let takenWhenSmallEnded = 0;
  let callsWhenSmallEnded: readonly string[] = [];
  const app = topology('intake');
  app
    .stream(large)
    .mapValues((value) => {
      taken++;
      return value;
    })
    .to(largeOut);
  app
    .stream(small)
    .mapValues((value) => {
      if (value === SMALL_RECORDS - 1) {
        takenWhenSmallEnded = taken;
        callsWhenSmallEnded = [...spy.calls];
      }
      return value;
    })
    .to(smallOut);
  const started = await startRun({
    program: app.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, ...settings, until: 'end', sliceRecords: 40, commitIntervalMs: 20 },
  });
  assert.equal((await started.finished).how, 'complete');
  const written = await readTopic(log, largeOut);
  assert.deepEqual(
    written.map(({ value }) => value),
    Array.from({ length: LARGE_RECORDS }, (_, n) => n),
  );
  assert.equal((await readTopic(log, smallOut)).length, SMALL_RECORDS);
  await log.close();
  return { spy, takenWhenSmallEnded, callsWhenSmallEnded };
}

test('fetched bytes that wait are bounded: an input is paused, and resumed when it has drained', async () => {
  const intakeBytes = 20_000;
  const { spy, takenWhenSmallEnded, callsWhenSmallEnded } = await run({ intakeBytes });
  const held = spy.of('large/0');
  assert.ok(held.mostBytes >= intakeBytes && held.mostBytes < 2.2 * intakeBytes, `${held.mostBytes} bytes`);
  assert.equal(held.bytes, 0, 'every buffer was given back');
  const pauses = spy.calls.filter((call) => call === 'pause large/0').length;
  const resumes = spy.calls.filter((call) => call === 'resume large/0').length;
  assert.ok(pauses > 5 && resumes >= pauses - 1 && resumes <= pauses, `${pauses} pauses, ${resumes} resumes`);
  assert.ok(!spy.calls.includes('pause small/0'));
  // the small one went by while the large one was paused
  assert.equal(callsWhenSmallEnded.filter((call) => call.endsWith('large/0')).at(-1), 'pause large/0');
  assert.ok(takenWhenSmallEnded < LARGE_RECORDS / 10, `${takenWhenSmallEnded} of the large topic came first`);
});

test('fetched records that wait are bounded where their bytes are not', async () => {
  const intakeBytes = 41_000;
  const { spy } = await run({ intakeRecords: 500, intakeBytes });
  const held = spy.of('large/0');
  assert.ok(spy.calls.filter((call) => call === 'resume large/0').length > 3);
  assert.ok(held.mostRecords > 500, `${held.mostRecords} records`);
  // one fetch has brought more records than may wait, and no second came before they were taken
  assert.ok(held.mostBytes < intakeBytes, `${held.mostBytes} bytes`);
  assert.ok(!spy.calls.includes('pause small/0'));
});

/** Runs to the end; time moves on only when nothing else does. Answers how much of it passed. */
async function timeToFinish(clock: VirtualClock, run: Run): Promise<number> {
  const started = clock.now();
  let finished = false;
  run.finished.finally(() => {
    finished = true;
  });
  for (let quiet = 0, records = 0; !finished; quiet++) {
    await clock.turn();
    if (run.progress().records !== records) quiet = 0;
    records = run.progress().records;
    const next = clock.nextTimer();
    if (quiet > 20 && next !== undefined) clock.advance(Math.max(0, next - clock.now()));
  }
  return clock.now() - started;
}

test('an input that drains within one turn is read on at once, not after a commit interval', async () => {
  const clock = new VirtualClock();
  const log = createMemoryLog({ clock, random: seededRandom(1) });
  await fill(log, large, LARGE_RECORDS);
  const app = topology('drained');
  app.stream(large).to(largeOut);
  const commitIntervalMs = 100;
  const run = await startRun({
    program: app.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, intakeBytes: 20_000, intakeRecords: 500, until: 'end', commitIntervalMs },
  });
  const passed = await timeToFinish(clock, run);
  assert.ok(passed < 2 * commitIntervalMs, `${passed} ms passed`);
  await log.close();
});
