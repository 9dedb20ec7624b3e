import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeType } from '../catalog.ts';
import type { Command } from '../lifecycle/lifecycle.ts';
import { ControlDriver } from './testing/control-driver.ts';
import { added, document, numberType } from './testing/small-documents.ts';

/**
 * Limits, queues and kills meet: cases that went wrong in Kestra (https://github.com/kestra-io/kestra/issues), told anew
 * for slots of a pool.
 */
class Lane {
  /** How many ran at once at most, and who has run. */
  most = 0;
  readonly ran: string[] = [];
  #now = 0;

  types(clock: Pick<ControlDriver['clock'], 'sleep'>): readonly NodeType[] {
    return [
      numberType('lasts', {
        kind: 'task',
        run: async (config, inputs, { execution, signal }) => {
          this.ran.push(execution);
          this.most = Math.max(this.most, ++this.#now);
          await clock.sleep(60_000);
          if (!signal.aborted) this.#now--;
          return added(config, inputs);
        },
      }),
    ];
  }

  /** A task that is told to stop is over for the engine. */
  stopped(): void {
    this.#now--;
  }
}

const CANCEL: Command = { type: 'cancel', reason: 'killed', node: null };
const retry = { retry: { maxAttempts: 5, initial: '1s', on: ['TRANSIENT', 'SYSTEM', 'USER', 'PERMANENT'] } };
const CHILD = document('child', [['t', 'lasts', { n: 1 }]], [], { t: retry });
const parent = (children: number) => {
  const nodes = Array.from({ length: children }, (_, i) => [`c${i}`, 'workflow', { workflow: 'child' }] as const);
  return document('parent', nodes, [], Object.fromEntries(nodes.map(([id]) => [id, retry])));
};

async function open(slots: number): Promise<{ readonly driver: ControlDriver; readonly lane: Lane }> {
  const lane = new Lane();
  const driver = await ControlDriver.open({
    ...{ documents: [parent(4), CHILD], slots },
    types: (clock) => lane.types(clock),
  });
  return { driver, lane };
}

/** Every node of it that is CANCELLED has this cause. */
function causes(driver: ControlDriver, execution: string): readonly string[] {
  return driver
    .of(execution)
    .flatMap(({ events }) =>
      events.flatMap((event) => (event.type === 'node' && event.to === 'CANCELLED' ? [event.cause] : [])),
    );
}

test('S1.2.f, Kestra 7933: killing a parent lets none of what it has queued run, and others go on one by one', async () => {
  const { driver, lane } = await open(1);
  driver.start('killed', 'parent');
  for (const other of ['o1', 'o2', 'o3']) driver.start(other, 'child');
  await driver.settle();
  assert.deepEqual(lane.ran, ['killed/c0']);
  driver.send('killed', CANCEL);
  lane.stopped();
  await driver.finish();
  assert.deepEqual(lane.ran, ['killed/c0', 'o1', 'o2', 'o3']);
  assert.equal(lane.most, 1);
  for (const execution of ['killed', 'killed/c0', 'killed/c1', 'killed/c2', 'killed/c3']) {
    assert.equal(driver.ended(execution).status, 'CANCELLED');
    assert.ok(causes(driver, execution).every((cause) => cause === 'cancelled'));
  }
  assert.deepEqual(driver.rows().get('\0Sdefault'), [0, 0, '']);
});

test('S1.2.f, Kestra 16579: a child that is killed gives back one slot, and the limit holds on', async () => {
  const { driver, lane } = await open(2);
  for (let i = 0; i < 3; i++) driver.start(`p${i}`, 'parent');
  await driver.settle();
  for (let round = 0; round < 4; round++) {
    const running = lane.ran.at(-1)!;
    driver.send(running, CANCEL);
    lane.stopped();
    await driver.settle();
    assert.deepEqual((driver.rows().get('\0Sdefault') as readonly unknown[])[0], 2);
  }
  await driver.finish();
  assert.equal(lane.most, 2);
  assert.equal(new Set(lane.ran).size, lane.ran.length, 'one ran twice');
});

test('S1.2.f, Kestra 11574: what is killed in the queue never runs, and is not tried again', async () => {
  const { driver, lane } = await open(1);
  for (const name of ['first', 'queued', 'last']) driver.start(name, 'child');
  await driver.settle();
  driver.send('queued', CANCEL);
  await driver.settle();
  // in its own step, with no slot given away for it
  assert.deepEqual((driver.rows().get('\0Sdefault') as readonly unknown[]).slice(0, 2), [1, 1]);
  await driver.finish();
  assert.deepEqual(lane.ran, ['first', 'last']);
  assert.deepEqual([driver.ended('queued').status, driver.ended('last').status], ['CANCELLED', 'COMPLETED']);
  const attempts = driver.of('queued').flatMap(({ events }) => events.filter(({ type }) => type === 'attempt-failed'));
  assert.deepEqual(attempts, []);
  assert.equal(lane.most, 1);
});

test('S1.2.f: what is killed while it waits for another attempt ends, and whoever is queued goes on', async () => {
  const runs: string[] = [];
  const fails = numberType('fails', {
    kind: 'task',
    async run(_, __, { execution }) {
      runs.push(execution);
      if (execution === 'killed') throw new Error('not yet');
      return { out: 1 };
    },
  });
  const driver = await ControlDriver.open({
    documents: [document('one', [['t', 'fails', { n: 1 }]], [], { t: { retry: { maxAttempts: 5, initial: '1h' } } })],
    ...{ types: () => [fails], slots: 1 },
  });
  driver.start('killed', 'one');
  await driver.settle();
  driver.send('killed', CANCEL);
  driver.start('next', 'one');
  await driver.finish();
  assert.deepEqual(runs, ['killed', 'next']);
  assert.deepEqual([driver.ended('killed').status, driver.ended('next').status], ['CANCELLED', 'COMPLETED']);
});
