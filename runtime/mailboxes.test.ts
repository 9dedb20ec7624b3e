import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { Mailbox, ProcessContext } from '../operators/operators.ts';
import { int64, string } from '../schemas/schemas.ts';
import { garbageCollector } from '../state/garbage.fixture.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { keyValueStore, topic, topology } from '../topology/topology.ts';
import { Mailboxes } from './mailboxes.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';
import { type DriverOptions, TopologyDriver } from './testing.ts';

const IN = topic('in', { key: string(), value: int64(), partitions: 2 });
const OUT = topic('out', { key: string(), value: int64(), partitions: 2 });
const SUMS = keyValueStore('sums', { key: string(), value: int64() });

/** Adds up what comes as records, and what is posted; -1 fails. */
function adding() {
  const boxes = new Map<number, Mailbox<number>>();
  const seen: string[] = [];
  const supplier = () => {
    let context: ProcessContext<string, number>;
    const add = (value: number) => {
      if (value < 0) throw new Error('no negatives');
      const sums = context.store<string, number>('sums');
      const sum = (sums.get('all') ?? 0) + value;
      sums.put('all', sum);
      context.forward('all', sum);
    };
    return {
      init(given: ProcessContext<string, number>) {
        context = given;
        context.mailbox<number>({
          opened(box) {
            boxes.set(context.partition, box);
            seen.push(`opened ${context.partition}`);
          },
          closed: () => void seen.push(`closed ${context.partition}`),
          take: add,
          committed: (value) => void seen.push(`committed ${value}`),
          refuse: (value) => void seen.push(`refused ${value}`),
        });
      },
      process: add,
      close: () => void seen.push(`ended ${context.partition}`),
    };
  };
  const app = topology('adding');
  app
    .stream(IN)
    .process<number>({ name: 'add', stores: [SUMS], supplier, value: int64() })
    .to(OUT);
  return { app, boxes, seen };
}

async function drive(options: DriverOptions = {}) {
  const { app, boxes, seen } = adding();
  const driver = await TopologyDriver.open(app, options);
  const read = () =>
    driver
      .output(OUT)
      .read()
      .map(({ value, timestamp }) => `${value} at ${timestamp}`);
  return { driver, boxes, seen, read };
}

test('messages are taken beside records, in order, with the times they were posted with', async () => {
  const { driver, boxes, read } = await drive();
  driver.input(IN).send('k', 1, { partition: 1, timestamp: 10 });
  boxes.get(1)!.post(2, 20);
  boxes.get(1)!.post(3, 15);
  boxes.get(0)!.post(100, 5);
  driver.input(IN).send('k', 4, { partition: 1, timestamp: 30 });
  driver.advance(0);
  assert.deepEqual(read().sort(), ['1 at 10', '10 at 30', '100 at 5', '3 at 20', '6 at 15'].sort());
});

test('what was taken is lost with its epoch, and nothing is taken once the mailbox is closed', async () => {
  const { driver, boxes, seen, read } = await drive({ commit: 'on demand' });
  boxes.get(0)!.post(1, 1);
  driver.advance(0);
  driver.commit();
  boxes.get(0)!.post(2, 2);
  driver.advance(0);
  const before = boxes.get(0)!;
  await driver.crash();
  assert.deepEqual(seen.slice(-6).sort(), ['closed 0', 'closed 1', 'ended 0', 'ended 1', 'opened 0', 'opened 1']);
  before.post(4, 4);
  boxes.get(0)!.post(8, 8);
  driver.advance(0);
  driver.commit();
  assert.deepEqual(read(), ['1 at 1', '9 at 8']);
});

test('of what was taken it is told when it is committed, and never of what is lost or refused', async () => {
  const { driver, boxes, seen } = await drive({ commit: 'on demand', onFailure: 'skip' });
  const committed = () => seen.filter((each) => each.startsWith('committed'));
  for (const value of [1, -1, 2]) boxes.get(0)!.post(value, 1);
  driver.advance(0);
  assert.deepEqual(committed(), []);
  driver.commit();
  assert.deepEqual(committed(), ['committed 1', 'committed 2']);
  boxes.get(0)!.post(3, 2);
  driver.advance(0);
  await driver.crash();
  boxes.get(0)!.post(4, 3);
  driver.advance(0);
  driver.commit();
  driver.commit();
  assert.deepEqual(committed(), ['committed 1', 'committed 2', 'committed 4']);
});

test('a message that fails is refused where policy goes on, and fails the task else', async () => {
  const skipping = await drive({ onFailure: 'skip' });
  skipping.boxes.get(0)!.post(-1, 1);
  skipping.boxes.get(0)!.post(5, 2);
  skipping.driver.advance(0);
  assert.deepEqual(skipping.read(), ['5 at 2']);
  assert.ok(skipping.seen.includes('refused -1'));
  const failing = await drive();
  assert.throws(
    () => {
      failing.boxes.get(0)!.post(-1, 1);
      failing.driver.advance(0);
    },
    { code: 'record.failed', message: /no negatives/ },
  );
});

test('what was taken is let go, also where more is always waiting', async () => {
  const step = new Step();
  const mailboxes = new Mailboxes(step, () => undefined);
  let box: Mailbox<object>;
  mailboxes.add({
    opened: (mailbox) => {
      box = mailbox;
    },
    ...{ closed() {}, take() {}, refuse() {} },
  });
  mailboxes.open();
  const post = () => {
    const message = {};
    box.post(message, 1);
    return new WeakRef(message);
  };
  const first = post();
  const taken = Array.from({ length: 9 }, () => {
    const next = post();
    mailboxes.begin();
    step.begin();
    mailboxes.advance();
    step.settle();
    return next;
  });
  assert.ok(mailboxes.waiting);
  mailboxes.begin();
  await systemClock.turn();
  garbageCollector()();
  const isGone = [first, ...taken].map((message) => message.deref() === undefined);
  assert.deepEqual(isGone, [...Array<boolean>(9).fill(true), false]);
});

test('in a run messages wake their worker and are committed; many leave room for others', {
  timeout: 240_000,
}, async () => {
  const { app, boxes, seen } = adding();
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  for (const name of ['in', 'out']) await log.admin.create(name, { partitions: 2 });
  const run = await startRun({
    ...{ program: app.build(), log, clock: systemClock, state: createStateBackend({}), telemetry: silentTelemetry() },
    directory: undefined,
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 },
  });
  while (boxes.size < 2) await systemClock.sleep(1);
  for (let i = 0; i < 2000; i++) boxes.get(i % 2)!.post(1, i);
  const values: number[] = [];
  while (values.length < 2000) {
    await systemClock.sleep(1);
    values.length = 0;
    await readTopic(log, OUT, (value) => void values.push(value!));
  }
  assert.equal(values.length, 2000);
  await run.drain();
  assert.deepEqual(seen.slice(-4).sort(), ['closed 0', 'closed 1', 'ended 0', 'ended 1']);
  await log.close();
});
