import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import type { Log, Outage } from '../log/log.ts';
import type { WorkerFigures } from './host.ts';
import { Watchdog } from './watchdog.ts';

const BEGAN = Date.UTC(2026, 0, 2, 3, 4, 5);
const GOOD: WorkerFigures = {
  ...{ records: 0, lag: 0, streamTime: undefined, tasks: 1, inputs: [], stores: [] },
  ...{ standbys: { tasks: 0, lag: 0 }, restore: undefined },
  ...{ ready: true, silentMs: 0, blockedMs: 0, registryOutage: undefined, quarantined: [] },
};

function watched() {
  const clock = new VirtualClock(BEGAN);
  const overdue: string[] = [];
  const state = { figures: [GOOD, GOOD], outage: undefined as Outage | undefined, isMember: true };
  const connection = {
    retries: 0,
    get outage() {
      return state.outage;
    },
  };
  const watchdog = new Watchdog({
    clock,
    log: { connection } as unknown as Log,
    sessionMs: 6000,
    commitIntervalMs: 100,
    figures: () => state.figures,
    isMember: () => state.isMember,
    onOverdue: (workers, reason) => {
      assert.deepEqual(workers, [1]);
      state.isMember = false;
      overdue.push(reason);
    },
  });
  watchdog.start();
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(500, left));
      await clock.turn();
    }
  };
  return { watchdog, state, overdue, clock, pass };
}

const blockedFor = (ms: number): WorkerFigures => ({ ...GOOD, blockedMs: ms, silentMs: ms });

test('all is well where workers turn and the log answers', async () => {
  const { watchdog, overdue, pass } = watched();
  await pass(60_000);
  assert.deepEqual(watchdog.health(), { ready: true, degraded: undefined, ill: undefined });
  assert.deepEqual(overdue, []);
  watchdog.close();
});

test('a worker thread that gives no sign is told after a second, and loses its tasks after a session, once', async () => {
  const { watchdog, state, overdue, pass } = watched();
  state.figures = [GOOD, blockedFor(900)];
  assert.equal(watchdog.health().ready, true);
  state.figures = [GOOD, blockedFor(1100)];
  assert.deepEqual(watchdog.health(), {
    ready: false,
    degraded: 'worker 1 has been blocked for 1100 ms',
    ill: undefined,
  });
  await pass(1000);
  assert.deepEqual(overdue, []);
  state.figures = [GOOD, blockedFor(6001)];
  await pass(2000);
  assert.deepEqual(overdue, ['worker 1 has been blocked for 6001 ms']);
  state.figures = [GOOD, blockedFor(10_200)];
  assert.equal(watchdog.health().ill, 'worker 1 has stood still for 10200 ms');
  watchdog.close();
});

test('a worker that waits for ever loses its tasks after a minute, though its thread lives, once', async () => {
  const { watchdog, state, overdue, pass } = watched();
  await pass(60_000);
  const waiting = (ms: number): WorkerFigures => ({ ...GOOD, silentMs: ms });
  state.figures = [GOOD, waiting(59_000)];
  await pass(1000);
  assert.deepEqual(overdue, []);
  assert.equal(watchdog.health().ill, 'worker 1 has stood still for 59000 ms');
  state.figures = [GOOD, waiting(60_500)];
  await pass(2000);
  assert.deepEqual(overdue, ['worker 1 has stood still for 60500 ms']);
  watchdog.close();
});

test('a worker that waited for a log which did not answer has a minute from then on', async () => {
  const { watchdog, state, overdue, pass } = watched();
  state.outage = { since: BEGAN, reason: 'a:1 cannot be reached' };
  state.figures = [GOOD, { ...GOOD, silentMs: 90_000 }];
  await pass(90_000);
  state.outage = undefined;
  await pass(59_000);
  assert.deepEqual(overdue, []);
  await pass(2000);
  assert.equal(overdue.length, 1);
  watchdog.close();
});

test('a thread that stood still itself has heard nobody, and judges nobody', async () => {
  const { watchdog, state, overdue, clock, pass } = watched();
  state.figures = [blockedFor(8000), GOOD];
  clock.advance(8000);
  await clock.turn();
  assert.deepEqual(overdue, []);
  state.figures = [GOOD, GOOD];
  await pass(2000);
  assert.deepEqual(overdue, []);
  watchdog.close();
});

test('while the log does not answer it is degraded, not ill; who waited has time to go on behind it', async () => {
  const { watchdog, state, overdue, pass } = watched();
  state.outage = { since: BEGAN, reason: 'a:1 cannot be reached' };
  state.figures = [{ ...GOOD, silentMs: 40_000 }];
  await pass(40_000);
  assert.deepEqual(watchdog.health(), {
    ready: false,
    degraded: 'the log has not answered since 2026-01-02T03:04:05.000Z: a:1 cannot be reached',
    ill: undefined,
  });
  state.outage = undefined;
  await pass(9000);
  assert.equal(watchdog.health().ill, undefined);
  await pass(2000);
  assert.equal(watchdog.health().ill, 'worker 0 has stood still for 40000 ms');
  assert.deepEqual(overdue, []);
  watchdog.close();
});

test('records that wait for a schema make the process degraded, not ill', async () => {
  const { watchdog, state } = watched();
  state.figures = [GOOD, { ...GOOD, registryOutage: { since: BEGAN, reason: 'connect ECONNREFUSED' } }];
  const degraded =
    'records wait for the schema registry, which has not answered since 2026-01-02T03:04:05.000Z: connect ECONNREFUSED';
  assert.deepEqual(watchdog.health(), { ready: false, degraded, ill: undefined });
  state.figures = [GOOD, GOOD];
  assert.equal(watchdog.health().ready, true);
  watchdog.close();
});
