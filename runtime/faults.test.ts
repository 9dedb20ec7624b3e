import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { assertExact } from '../integration-tests/crash/exact.ts';
import { topology } from '../integration-tests/crash/topology.ts';
import { createMemoryLog, FAULTS, type Fault, type FaultOptions, type MemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { completeBesideRival } from './rival.fixture.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';
import { transactionalId } from './transactional-id.ts';

function start(log: MemoryLog, telemetry: Telemetry, directory?: string): Promise<Run> {
  return startRun({
    program: topology.build(),
    log,
    state: createStateBackend({}),
    directory,
    clock: systemClock,
    telemetry,
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, batchBytes: 4096, sliceRecords: 500, writeBackMs: 15 },
  });
}

function count(telemetry: Telemetry, name: string): number {
  return telemetry.snapshot().find((row) => row.name === name)?.values[0] ?? 0;
}

async function runWithFaults(seed: number, faults: FaultOptions, directory?: string) {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(seed), faults });
  const telemetry = silentTelemetry();
  const run = await start(log, telemetry, directory);
  assert.equal((await run.finished).how, 'complete');
  log.faults.set({});
  await assertExact(log);
  await log.close();
  return { fired: log.faults.fired, rebuilds: count(telemetry, 'nodeflow_rebuilds_total') };
}

async function inFolder(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-faults-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Per request, of which an epoch has a dozen; per transaction for what strikes only there. */
const CHANCES: Record<Fault, number> = {
  'late-answer': 0.05,
  'lost-answer': 0.02,
  'lost-request': 0.02,
  'late-markers': 0.5,
  'unstable-positions': 0.5,
  abort: 0.02,
  'lost-member': 0,
};
const CASES: readonly { readonly faults: readonly Fault[]; readonly rebuilds: boolean }[] = [
  { faults: ['late-answer', 'late-markers', 'unstable-positions'], rebuilds: false },
  { faults: ['lost-answer'], rebuilds: true },
  { faults: ['lost-request'], rebuilds: true },
  { faults: ['abort', 'late-markers', 'unstable-positions'], rebuilds: true },
];

for (const { faults, rebuilds } of CASES) {
  test(`results come exactly once through: ${faults.join(', ')}`, { timeout: 240_000 }, async () => {
    const chances = Object.fromEntries(faults.map((fault) => [fault, CHANCES[fault]]));
    const ran = await runWithFaults(11, { chances, lateMs: 4 });
    for (const fault of faults) assert.ok(ran.fired[fault] > 0, `${fault} never happened`);
    assert.equal(ran.rebuilds > 0, rebuilds, `${ran.rebuilds} rebuilds`);
  });
}

test('results come exactly once through everything at once', { timeout: 240_000 }, async () => {
  const chances = Object.fromEntries(FAULTS.map((fault) => [fault, CHANCES[fault] / 3]));
  const { fired, rebuilds } = await runWithFaults(12, { chances, lateMs: 4 });
  assert.ok(fired['lost-answer'] + fired['lost-request'] + fired.abort > 2, JSON.stringify(fired));
  assert.ok(fired['late-answer'] + fired['late-markers'] + fired['unstable-positions'] > 2, JSON.stringify(fired));
  assert.ok(rebuilds > 2, `${rebuilds} rebuilds`);
});

test('with stores on disk, behind lost commits and aborts, results come exactly once', {
  timeout: 240_000,
}, async () => {
  await inFolder(async (directory) => {
    const chances = { 'lost-answer': 0.006, abort: 0.006, 'late-markers': 0.2 };
    const ran = await runWithFaults(5, { chances, lateMs: 6 }, directory);
    assert.ok(ran.rebuilds > 2, `${ran.rebuilds} rebuilds`);
  });
});

for (const [fault, request] of [
  ['lost-answer', 'commit'],
  ['lost-request', 'commit'],
  ['lost-answer', 'abort'],
  ['abort', 'positions'],
] as const) {
  test(`one ${fault} at the ${request} is one step back, and nothing twice`, { timeout: 240_000 }, async () => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(3), faults: { lateMs: 6 } });
    const telemetry = silentTelemetry();
    const run = await start(log, telemetry);
    if (request === 'abort') log.faults.order('abort', 'append');
    log.faults.order(fault, request);
    assert.equal((await run.finished).how, 'complete');
    assert.equal(log.faults.fired[fault] > 0, true);
    assert.ok(count(telemetry, 'nodeflow_rebuilds_total') >= 1);
    await assertExact(log);
    await log.close();
  });
}

test('a second process of an application shares its work', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(4) });
  const first = await start(log, silentTelemetry());
  while (first.progress().records < 2000) await systemClock.turn();
  const second = await start(log, silentTelemetry());
  const outcomes = await Promise.all([first.finished, second.finished]);
  assert.deepEqual(
    outcomes.map(({ how }) => how),
    ['complete', 'complete'],
  );
  assert.ok(outcomes.every(({ records }) => records > 0));
  await assertExact(log);
  await log.close();
});

test('a run whose producer is fenced once takes its work up again; fenced over and over it ends', () =>
  inFolder(async (directory) => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(4) });
    const fence = async (times: number) => {
      const telemetry = silentTelemetry();
      const run = await start(log, telemetry, directory);
      const slot = JSON.parse(readFileSync(join(directory, 'crash', '0', 'slot.json'), 'utf8')) as { id: string };
      let ended = false;
      const finished = run.finished.finally(() => {
        ended = true;
      });
      finished.catch(() => undefined);
      for (let time = 0; time < times && !ended; time++) {
        const { records } = run.progress();
        while (!ended && run.progress().records < records + 500) await systemClock.turn();
        const transactional = { application: 'crash', slot: slot.id, worker: 0, lane: 'data' } as const;
        await (await log.producer({ transactionalId: transactionalId(transactional) })).close();
      }
      return finished;
    };
    await assert.rejects(fence(100), (thrown: unknown) => isFlowError(thrown, 'log.fenced'));
    assert.equal((await fence(1)).how, 'complete');
    await assertExact(log);
    await log.close();
  }));

test('a member that the group has put out joins again, and loses and repeats nothing', async () => {
  const clock = new VirtualClock(systemClock.now());
  const log = createMemoryLog({ clock, random: seededRandom(4) });
  const run = await start(log, silentTelemetry());
  while (run.progress().records < 2000) await systemClock.turn();
  const group = async () => (await log.admin.groups()).find((each) => each.group === 'crash')!;
  const { members, generation } = await group();
  log.silence(members[0]!);
  clock.advance(7000);
  assert.equal((await run.finished).how, 'complete');
  assert.ok((await group()).generation > generation);
  await assertExact(log);
  await log.close();
});

test('tasks that another member takes away and gives back lose and repeat nothing', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(6) });
  const telemetry = silentTelemetry();
  const run = await start(log, telemetry);
  await completeBesideRival(log, run, 'crash');
  await assertExact(log);
  await log.close();
});
