import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { uniqueId } from '../../core/random.ts';
import type { ExecutionView, Workflows } from '../../workflows/workflows.ts';
import { testBrokers } from '../support/brokers.ts';
import { open, openLog, type Place } from './world.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

const EXECUTIONS = 8;
const names = Array.from({ length: EXECUTIONS }, (_, i) => `x${i}`);

/** A process that serves workflows, asked by HTTP. */
class Served {
  readonly process: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.process = child;
    this.url = url;
  }

  static async start(place: Place): Promise<Served> {
    const script = join(import.meta.dirname, 'serve-child.ts');
    const child = spawn(process.execPath, [script, JSON.stringify(place)], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout! })) return new Served(child, line);
    throw new Error('it has ended before it served');
  }

  async ask<T>(path: string, body?: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const post = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = await fetch(`${this.url}${path}`, post);
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return (await answer.json()) as T;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    await once(this.process, 'exit');
  }
}

/** How long it has been so grows between two questions. */
const timeless = (text: string) => text.replaceAll(/ for [\d.]+ m?s/g, '');

const waits = (view: ExecutionView | undefined) =>
  view?.nodes.some(({ id, status }) => id === 'c' && status === 'RUNNING') ?? false;

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(20);
}

test('three processes over one cluster answer for every execution, also when one of them is killed', {
  skip: brokers === undefined,
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-several-'));
  const prefix = `several-${uniqueId()}.`;
  const place = (name: string): Place => ({
    ...{ directory: join(directory, name), brokers: brokers!.addresses.brokers, prefix },
  });
  const served = [await Served.start(place('one')), await Served.start(place('two'))];
  const log = await openLog(place('here'));
  const here: Workflows = await open(place('here'), log);
  try {
    // all three have partitions of their own
    await until(async () => {
      await here.start('ten', 1);
      return here.figures().started > 0;
    });
    for (const [i, execution] of names.entries()) {
      await served[i % 2]!.ask('/v1/executions', { workflow: 'waits', input: i, execution });
    }
    await assertAllTell(served, here);
    const ends = names.map((execution) => here.ended(execution));
    // what fails first is told, not that they end with the engine
    for (const end of ends) end.catch(() => undefined);
    for (const [i, execution] of names.slice(0, 4).entries()) {
      const answer = await served[(i + 1) % 2]!.ask(`/v1/executions/${execution}/signals/go`, i * 1000);
      assert.equal((answer as { execution: string }).execution, execution);
    }
    for (const [i, end] of ends.slice(0, 4).entries()) assert.deepEqual((await end).output, { d: i * 1000 + 5 });

    const began = systemClock.monotonic();
    await served.shift()!.end('SIGKILL');
    await assertAllTell(served, here);
    t.diagnostic(`told ${Math.round(systemClock.monotonic() - began)} ms behind a kill`);
    for (const [i, execution] of names.entries()) {
      if (i >= 4) await here.signal(execution, 'go', i * 1000, { id: `go ${i}` });
    }
    t.diagnostic(`taken over ${Math.round(systemClock.monotonic() - began)} ms behind it`);
    for (const [i, end] of ends.entries()) assert.deepEqual((await end).output, { d: i * 1000 + 5 });
    for (const execution of names) {
      assert.equal((await served[0]!.ask<ExecutionView>(`/v1/executions/${execution}`)).status, 'COMPLETED');
    }
  } finally {
    await Promise.all(served.map((each) => each.end('SIGTERM')));
    await here.drain();
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Every process says the same of every execution, whoever owns it. */
async function assertAllTell(served: readonly Served[], here: Workflows): Promise<void> {
  for (const execution of names) {
    const path = `/v1/executions/${execution}`;
    const all = () => Promise.all([here.execution(execution), ...served.map((each) => each.ask<ExecutionView>(path))]);
    const isSettled = (view: ExecutionView | undefined) => view?.status === 'COMPLETED' || waits(view);
    await until(async () => (await all()).every(isSettled));
    const [view, ...others] = await all();
    for (const other of others) assert.deepEqual(other, JSON.parse(JSON.stringify(view)));
    const histories = await Promise.all(served.map((each) => each.ask<{ rows: unknown }>(`${path}/history`)));
    const steps = JSON.parse(JSON.stringify(await here.history(execution))) as unknown;
    for (const { rows } of histories) assert.deepEqual(rows, steps);
    const past = JSON.parse(JSON.stringify(await here.executionAt(execution, 2))) as unknown;
    for (const each of served) {
      assert.deepEqual(await each.ask(`${path}/at/2`), past);
      const { text } = await each.ask<{ text: string }>(`${path}/nodes/c/explain`);
      assert.equal(timeless(text), timeless((await here.explain(execution, 'c')).text));
    }
  }
}
