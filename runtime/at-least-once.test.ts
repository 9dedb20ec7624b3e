import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { assertAtLeast, assertExact } from '../integration-tests/crash/exact.ts';
import { topology } from '../integration-tests/crash/topology.ts';
import { BatchView } from '../log/batch.ts';
import type { Log, LogProducer } from '../log/log.ts';
import { createMemoryLog, type Fault, type FaultOptions } from '../log/memory/memory.ts';
import { createStateBackend, isPaneDrop } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { completeBesideRival } from './rival.fixture.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';

function start(log: Log, directory?: string, telemetry = silentTelemetry()): Promise<Run> {
  return startRun({
    program: topology.build(),
    log,
    state: createStateBackend({}),
    directory,
    clock: systemClock,
    telemetry,
    settings: {
      ...DEFAULT_SETTINGS,
      guarantee: 'at-least-once',
      ...{ commitIntervalMs: 5, batchBytes: 4096, sliceRecords: 500, writeBackMs: 15 },
    },
  });
}

test('without faults a run at-least-once gives every result exactly once, and takes no transaction', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const producers: (string | undefined)[] = [];
  const watched: Log = {
    ...open(log),
    producer: (options) => {
      producers.push(options.transactionalId);
      return log.producer(options);
    },
  };
  const run = await start(watched);
  assert.equal((await run.finished).how, 'complete');
  await assertExact(log);
  assert.ok(producers.length > 0 && producers.every((id) => id === undefined), String(producers));
  await log.close();
});

/** Faults of the log, and how many readings stood in it too often behind them. */
async function runWithFaults(seed: number, faults: FaultOptions, directory?: string) {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(seed), faults });
  const telemetry = silentTelemetry();
  const run = await start(log, directory, telemetry);
  assert.equal((await run.finished).how, 'complete');
  log.faults.set({});
  const repeated = await assertAtLeast(log);
  await log.close();
  const rebuilds = telemetry.snapshot().find(({ name }) => name === 'nodeflow_rebuilds_total')?.values[0] ?? 0;
  return { fired: log.faults.fired, rebuilds, repeated };
}

const CASES: readonly (readonly Fault[])[] = [['lost-answer'], ['lost-request'], ['late-answer', 'lost-answer']];

for (const faults of CASES) {
  test(`nothing is lost at-least-once through: ${faults.join(', ')}`, { timeout: 240_000 }, async () => {
    let rebuilds = 0;
    let repeated = 0;
    for (let seed = 1; seed <= 3; seed++) {
      const chances = Object.fromEntries(faults.map((fault) => [fault, 0.015]));
      const ran = await runWithFaults(seed, { chances, lateMs: 4 });
      for (const fault of faults) assert.ok(ran.fired[fault] > 0, `${fault} never happened with seed ${seed}`);
      rebuilds += ran.rebuilds;
      repeated += ran.repeated;
    }
    assert.ok(rebuilds > 4, `${rebuilds} rebuilds`);
    assert.ok(repeated > 0, 'nothing was repeated, so the faults showed nothing');
  });
}

test('with stores on disk, nothing is lost at-least-once', { timeout: 240_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-at-least-once-'));
  try {
    const ran = await runWithFaults(
      5,
      { chances: { 'lost-answer': 0.006, 'lost-request': 0.006 }, lateMs: 6 },
      directory,
    );
    assert.ok(ran.rebuilds > 2, `${ran.rebuilds} rebuilds`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('nothing is lost when tasks are taken away and given back', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(6) });
  const run = await start(log);
  await completeBesideRival(log, run, 'crash');
  await assertAtLeast(log);
  await log.close();
});

type Kind = 'output' | 'store' | 'progress' | 'drop' | 'ledger' | 'positions';

/** What a producer may not have on its way when it sends one of these. */
const BEHIND: Record<Kind, readonly Kind[]> = {
  output: ['progress', 'drop', 'positions', 'ledger'],
  store: ['progress', 'drop', 'positions', 'ledger'],
  progress: ['output', 'store'],
  drop: ['output', 'store', 'progress'],
  positions: ['output', 'store', 'progress', 'drop'],
  ledger: ['output', 'store', 'progress', 'drop', 'positions'],
};

/** Holds every request against those that its producer awaits. */
class WatchedProducer implements LogProducer {
  readonly #producer: LogProducer;
  readonly #counts: Map<Kind, number>;
  readonly #awaited = new Map<object, Kind>();
  readonly #view = new BatchView();

  constructor(producer: LogProducer, counts: Map<Kind, number>) {
    this.#producer = producer;
    this.#counts = counts;
  }

  append: LogProducer['append'] = (topic, partition, batch) =>
    this.#send(this.#kindOf(topic, batch), () => this.#producer.append(topic, partition, batch));

  sendPositions: LogProducer['sendPositions'] = (member, positions) =>
    this.#send('positions', () => this.#producer.sendPositions(member, positions));

  begin = () => this.#producer.begin();
  commit = () => this.#producer.commit();
  abort = () => this.#producer.abort();
  close = () => this.#producer.close();

  async #send<T>(kind: Kind, request: () => Promise<T>): Promise<T> {
    const wrong = [...this.#awaited.values()].filter((other) => BEHIND[kind].includes(other));
    assert.deepEqual(wrong, [], `sent ${kind} while these were not answered`);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const token = {};
    this.#awaited.set(token, kind);
    try {
      return await request();
    } finally {
      this.#awaited.delete(token);
    }
  }

  #kindOf(topic: string, batch: Buffer): Kind {
    if (topic === 'nf.crash.run') return 'ledger';
    if (topic.endsWith('.progress')) return 'progress';
    if (!topic.endsWith('.changelog')) return 'output';
    const view = this.#view;
    view.open(batch, 0, batch.length, { topic, partition: 0 });
    const drops = Array.from({ length: view.count }, (_, i) => isPaneDrop(view.valueStarts[i]!, view.valueEnds[i]!));
    assert.ok(
      drops.every((drop) => drop === drops[0]),
      'dropped panes and rows stand in one batch',
    );
    return drops[0] ? 'drop' : 'store';
  }
}

test('each step of a commit is answered before the next is sent', { timeout: 240_000 }, async () => {
  const faults: FaultOptions = { chances: { 'late-answer': 0.5 }, lateMs: 3 };
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(8), faults });
  const counts = new Map<Kind, number>();
  const watched: Log = {
    ...open(log),
    producer: async (options) => new WatchedProducer(await log.producer(options), counts),
  };
  const run = await start(watched);
  assert.equal((await run.finished).how, 'complete');
  await assertExact(log);
  for (const kind of Object.keys(BEHIND) as Kind[]) assert.ok((counts.get(kind) ?? 0) > 1, `${kind} was never sent`);
  await log.close();
});

test('exactly-once is refused on a log that cannot give it, with the cure', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const lesser: Log = { ...open(log), capabilities: { ...log.capabilities, transactions: false, fencing: false } };
  const refused = startRun({
    ...{ program: topology.build(), log: lesser, state: createStateBackend({}), directory: undefined },
    ...{ clock: systemClock, telemetry: silentTelemetry(), settings: DEFAULT_SETTINGS },
  });
  await assert.rejects(
    refused,
    (thrown) => isFlowError(thrown, 'log.unsupported') && thrown.message.includes('run.guarantee at-least-once'),
  );
  assert.equal((await (await start(lesser)).finished).how, 'complete');
  await assertExact(log);
  await log.close();
});

/** The log as an object whose members can be replaced. */
function open(log: Log): Log {
  return {
    capabilities: log.capabilities,
    admin: log.admin,
    reader: (options) => log.reader(options),
    producer: (options) => log.producer(options),
    join: (options) => log.join(options),
    committed: (group, partitions) => log.committed(group, partitions),
    close: () => log.close(),
  };
}
