import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import type { WorkerFigures, WorkerHost } from './host.ts';
import { LastingHost, ThreadFallen } from './lasting-host.ts';

const IDENTITY = { group: 'app', member: 'm', generation: 3 };
const FIGURES: WorkerFigures = {
  ...{ records: 10, lag: 0, streamTime: undefined, tasks: 1, inputs: [], stores: [], standbys: { tasks: 0, lag: 0 } },
  ...{ restore: undefined, ready: true, silentMs: 0, blockedMs: 0, registryOutage: undefined, quarantined: [] },
};

/** A thread that notes what it is asked, and answers when it is let. */
class Thread implements WorkerHost {
  readonly asked: string[] = [];
  readonly end = Promise.withResolvers<void>();
  readonly finished = this.end.promise;
  /** Calls wait, until it falls. */
  hangs = false;

  fall(failure: Error = new ThreadFallen('worker 0 ended with exit code 7')): void {
    this.end.reject(failure);
  }

  renew(identity: typeof IDENTITY, tasks: readonly string[]): void {
    this.asked.push(`renew ${identity.generation} ${tasks}`);
  }

  assign(identity: typeof IDENTITY, tasks: readonly string[], standbys: readonly string[]): Promise<void> {
    return this.#answer(`assign ${identity.generation} ${tasks}; ${standbys}`);
  }

  revoke(tasks: readonly string[]): Promise<void> {
    return this.#answer(`revoke ${tasks}`);
  }

  async query(): Promise<readonly never[]> {
    await this.#answer('query');
    return [];
  }

  stop(): void {
    this.asked.push('stop');
    this.end.resolve();
  }

  figures(): WorkerFigures {
    return FIGURES;
  }

  #answer(asked: string): Promise<void> {
    this.asked.push(asked);
    return this.hangs ? this.finished : Promise.resolve();
  }
}

async function opened() {
  const clock = new VirtualClock(0);
  const { log } = createTelemetry({ process: false, sink: { write: () => undefined } });
  const threads: Thread[] = [];
  const state = { opens: Promise.resolve() };
  const host = await LastingHost.open({
    ...{ worker: 0, clock, log },
    async open() {
      await state.opens;
      const thread = new Thread();
      threads.push(thread);
      return thread;
    },
  });
  return { host, threads, clock, state };
}

test('a thread that falls is replaced by one that is given what it had, under the newest identity', async () => {
  const { host, threads, clock } = await opened();
  host.renew(IDENTITY, ['a', 'b', 'c']);
  await host.assign(IDENTITY, ['a', 'b'], ['s']);
  await host.revoke(['b']);
  host.renew({ ...IDENTITY, generation: 4 }, ['a', 'c']);
  threads[0]!.fall();
  await clock.turn();
  assert.deepEqual(threads[1]!.asked, ['renew 4 a,c', 'assign 4 a; s']);
  assert.equal(host.figures().records, 20);
});

test('what was asked of the one that fell is asked of the next; until then the worker is not ready', async () => {
  const { host, threads, clock, state } = await opened();
  const opens = Promise.withResolvers<void>();
  state.opens = opens.promise;
  threads[0]!.hangs = true;
  const given = host.assign(IDENTITY, ['a'], []);
  threads[0]!.fall();
  await clock.turn();
  assert.equal(host.figures().ready, false);
  assert.equal(host.figures().records, 10);
  const revoked = host.revoke(['a']);
  host.renew({ ...IDENTITY, generation: 4 }, []);
  opens.resolve();
  await Promise.all([given, revoked]);
  assert.deepEqual(threads[1]!.asked, ['renew 4 ', 'assign 4 ; ', 'assign 4 ; ', 'revoke a']);
  assert.equal(host.figures().ready, true);
});

test('one that falls again within 30 s ends the worker; later it is replaced again', async () => {
  const { host, threads, clock } = await opened();
  threads[0]!.fall();
  await clock.turn();
  clock.advance(31_000);
  threads[1]!.fall();
  await clock.turn();
  clock.advance(29_000);
  threads[2]!.fall();
  await assert.rejects(host.finished, (thrown) => isFlowError(thrown, 'worker.failed'));
  assert.equal(threads.length, 3);
});

test('a failure that the worker told, and a fall behind a stop, end it', async () => {
  const told = await opened();
  told.threads[0]!.fall(new FlowError('record.failed', 'no'));
  await assert.rejects(told.host.finished, (thrown) => isFlowError(thrown, 'record.failed'));
  const { host, threads } = await opened();
  threads[0]!.stop = () => threads[0]!.fall();
  host.stop();
  await assert.rejects(host.finished, (thrown) => isFlowError(thrown, 'worker.failed'));
  assert.equal(threads.length, 1);
});

test('one that is stopped while its thread is replaced ends, and so does one whose thread cannot be replaced', async () => {
  const { host, threads, state, clock } = await opened();
  const opens = Promise.withResolvers<void>();
  state.opens = opens.promise;
  threads[0]!.fall();
  await clock.turn();
  host.stop();
  opens.resolve();
  await host.finished;
  assert.deepEqual(threads[1]!.asked, ['stop']);
  const other = await opened();
  other.state.opens = Promise.reject(new FlowError('plan.mismatch', 'another plan'));
  other.state.opens.catch(() => undefined);
  other.threads[0]!.fall();
  await assert.rejects(other.host.finished, (thrown) => isFlowError(thrown, 'plan.mismatch'));
});
