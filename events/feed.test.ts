import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, type BatchView, type Compression } from '../log/batch.ts';
import type { Log, LogReader } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import {
  EVENTS_TOPIC,
  type EventFeed,
  type NamedEvent,
  openFeed,
  type PlacedStep,
  type StepRecord,
  type Watcher,
} from './events.ts';

const names = () => ({
  workflow: 'orders',
  id: (node: number) => `n${node}`,
  type: () => 'expression',
  schema: () => null,
});
const decode = (bytes: Buffer, start: number, end: number) =>
  JSON.parse(bytes.toString('utf8', start, end)) as StepRecord;

async function opened(
  partitions: number,
  body: (open: () => Promise<EventFeed>, log: Log) => Promise<void>,
): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(EVENTS_TOPIC, { partitions });
  const feeds: EventFeed[] = [];
  try {
    await body(async () => {
      const feed = await openFeed({ log, clock: systemClock, partitions, decode, names });
      feeds.push(feed);
      return feed;
    }, log);
  } finally {
    for (const feed of feeds) await feed.close();
    await log.close();
  }
}

function append(
  log: Log,
  partition: number,
  steps: readonly StepRecord[],
  compression: Compression = 'none',
): Promise<void> {
  const texts = steps.map((record) => JSON.stringify(record));
  return appendTexts(log, partition, texts, { compression });
}

async function appendTexts(
  log: Log,
  partition: number,
  texts: readonly string[],
  { compression = 'none', transactionalId }: { compression?: Compression; transactionalId?: string } = {},
): Promise<void> {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  for (const text of texts) {
    const bytes = Buffer.from(text);
    builder.append(0, bytes, 0, 0, bytes, 0, bytes.length);
  }
  step.settle();
  const producer = await log.producer(transactionalId === undefined ? {} : { transactionalId });
  if (transactionalId !== undefined) producer.begin();
  await producer.append(EVENTS_TOPIC, partition, builder.finish(compression));
  if (transactionalId !== undefined) await producer.commit();
  await producer.close();
}

function step(execution: string, seq: number): StepRecord {
  const move = {
    type: 'node',
    node: seq,
    iteration: '',
    attempt: 1,
    from: 'PENDING',
    to: 'QUEUED',
    cause: 'inputs-ready',
  } as const;
  const output = { type: 'output', node: seq, iteration: '', port: 'out', value: seq, bytes: 1 } as const;
  return { execution, seq, revision: 1, definition: 'h', at: seq, cause: { kind: 'continue' }, events: [move, output] };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.sleep(2);
}

test('a subscriber gets what is committed from then on, in order', () =>
  opened(2, async (open, log) => {
    await append(log, 0, [step('a', 1)]);
    const feed = await open();
    const seen: string[] = [];
    feed.steps({}, undefined, ({ record }) => void seen.push(`${record.execution}${record.seq}`));
    await append(log, 0, [step('a', 2), step('a', 3)]);
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ['a2', 'a3']);
    assert.deepEqual(feed.cursor, [3, 0]);
  }));

test('steps of a compressed batch are those that were written', () =>
  opened(1, async (open, log) => {
    const steps = Array.from({ length: 40 }, (_, i) => step('a', i + 1));
    await append(log, 0, steps, 'zstd');
    const feed = await open();
    const seen: StepRecord[] = [];
    const following = feed.steps({}, [], ({ record }) => {
      if (seen.push(record) === steps.length) following.close();
    });
    await following.ended;
    assert.deepEqual(seen, steps);
  }));

test('from wherever a subscriber goes on, it gets each step once, while more are written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 40 }),
      fc.nat(),
      async (parts, cut) => {
        await opened(3, async (open, log) => {
          const seqs = [0, 0, 0];
          const write = (partition: number) => append(log, partition, [step(`e${partition}`, ++seqs[partition]!)]);
          const half = cut % (parts.length + 1);
          for (const partition of parts.slice(0, half)) await write(partition);
          const feed = await open();
          const first: PlacedStep[] = [];
          let cursor: readonly number[] = [];
          const one = feed.steps({}, [], (placed, at) => {
            first.push(placed);
            cursor = at;
          });
          for (const partition of parts.slice(half)) await write(partition);
          const stopAt = Math.ceil(parts.length / 2);
          await until(() => first.length >= stopAt);
          one.close();
          await one.ended;
          const second: PlacedStep[] = [];
          feed.steps({}, cursor, (placed) => void second.push(placed));
          await until(() => first.length + second.length >= parts.length);
          const all = [...first, ...second].map(({ record }) => `${record.execution} ${record.seq}`);
          assert.equal(new Set(all).size, parts.length);
          for (const execution of ['e0', 'e1', 'e2']) {
            const own = all.filter((text) => text.startsWith(execution)).map((text) => Number(text.slice(3)));
            assert.deepEqual(
              own,
              own.toSorted((a, b) => a - b),
            );
          }
        });
      },
    ),
    { seed: 21, numRuns: 40 },
  );
});

test('a subscription stands behind what it was not handed too', () =>
  opened(1, async (open, log) => {
    const texts = [step('a', 1), step('b', 1), step('a', 0)].map((each) => JSON.stringify(each));
    await appendTexts(log, 0, texts, { transactionalId: 'first' });
    const feed = await open();
    const live = feed.steps({}, undefined, () => undefined);
    const old = feed.steps({ execution: 'a' }, [], () => undefined);
    assert.deepEqual([live.cursor, old.cursor], [[4], []]);
    await until(() => old.cursor[0] === 4);
    await appendTexts(log, 0, texts, { transactionalId: 'second' });
    await until(() => feed.cursor[0] === 8);
    await until(() => live.cursor[0] === 8 && old.cursor[0] === 8);
  }));

test('events go on within a step where a reader stopped within it', () =>
  opened(1, async (open, log) => {
    await append(log, 0, [step('a', 1), step('a', 2)]);
    const feed = await open();
    const seen: (readonly [NamedEvent, readonly number[]])[] = [];
    feed.events({ execution: 'a' }, [], (event, cursor) => void seen.push([event, cursor]));
    await until(() => seen.length === 4);
    assert.deepEqual(
      seen.map(([{ seq, index, type }, cursor]) => [seq, index, type, cursor]),
      [
        [1, 0, 'NODE_STATE_CHANGED', [0]],
        [1, 1, 'DATA_AVAILABLE', [1]],
        [2, 0, 'NODE_STATE_CHANGED', [1]],
        [2, 1, 'DATA_AVAILABLE', [2]],
      ],
    );
    const only: NamedEvent[] = [];
    feed.events({ node: 'n2', types: ['NODE_STATE_CHANGED'] }, [], (event, cursor) => {
      only.push(event);
      assert.deepEqual(cursor, [2], 'the last one that it takes of its step');
    });
    await until(() => only.length === 1);
  }));

test('a subscriber that throws ends its own subscription and nobody else', () =>
  opened(1, async (open, log) => {
    const feed = await open();
    let seen = 0;
    const odd = feed.steps({}, undefined, () => {
      throw new Error('odd');
    });
    feed.steps({}, undefined, () => void seen++);
    await append(log, 0, [step('a', 1)]);
    await assert.rejects(odd.ended, /odd/);
    await append(log, 0, [step('a', 2)]);
    await until(() => seen === 2);
  }));

test('a record that is none ends who meets it, and the feed goes on behind it', () =>
  opened(1, async (open, log) => {
    const feed = await open();
    const seen: number[] = [];
    const live = feed.steps({}, undefined, ({ record }) => void seen.push(record.seq));
    const filtered = feed.events({ execution: 'b' }, undefined, () => assert.fail());
    await appendTexts(log, 0, [JSON.stringify(step('a', 1)), '{', JSON.stringify(step('a', 2))]);
    const why = { code: 'schema.mismatch', message: /^nf\.events\/0 holds at 1 what is no step record: .+; go on/ };
    await assert.rejects(live.ended, why);
    await assert.rejects(filtered.ended, why);
    await assert.rejects(feed.steps({}, [], () => undefined).ended, why, 'who reads what is old');
    await until(() => feed.cursor[0] === 3);
    feed.steps({}, undefined, ({ record }) => void seen.push(record.seq));
    feed.steps({}, [2], ({ record }) => void seen.push(record.seq));
    await append(log, 0, [step('a', 3)]);
    await until(() => seen.length === 4);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [1, 2, 3, 3],
    );
  }));

test('one that takes its time holds back its own reading of what is old, and not the feed', () =>
  opened(1, async (open, log) => {
    await append(log, 0, [step('a', 1), step('a', 2)]);
    const feed = await open();
    const gate = Promise.withResolvers<void>();
    const slow: number[] = [];
    const quick: number[] = [];
    feed.steps({}, [], async ({ record }) => {
      await gate.promise;
      slow.push(record.seq);
    });
    feed.steps({}, undefined, ({ record }) => void quick.push(record.seq));
    await append(log, 0, [step('a', 3)]);
    await until(() => quick.length === 1);
    assert.deepEqual(slow, []);
    gate.resolve();
    await until(() => slow.length === 3);
    assert.deepEqual(slow, [1, 2, 3]);
  }));

test('a step is handed out when the words of its definition are known', () =>
  opened(1, async (_, log) => {
    const learned = Promise.withResolvers<void>();
    let isKnown = false;
    const known = () => (isKnown ? undefined : learned.promise);
    const named = () => ({ ...names(), workflow: isKnown ? 'orders' : '' });
    await append(log, 0, [step('a', 1)]);
    const feed = await openFeed({ log, clock: systemClock, partitions: 1, decode, names: named, known });
    try {
      const seen: string[] = [];
      const take = ({ workflow, seq }: NamedEvent) => void seen.push(`${workflow} ${seq}`);
      feed.events({ types: ['DATA_AVAILABLE'] }, [], take);
      feed.events({ types: ['DATA_AVAILABLE'] }, undefined, take);
      await append(log, 0, [step('a', 2)]);
      await systemClock.sleep(20);
      assert.deepEqual(seen, []);
      isKnown = true;
      learned.resolve();
      await until(() => seen.length === 3);
      assert.deepEqual(seen.toSorted(), ['orders 1', 'orders 2', 'orders 2']);
    } finally {
      await feed.close();
    }
  }));

test('a watcher sees all records undecoded, before subscribers do, and is told when they cannot be read', () =>
  opened(1, async (_, log) => {
    const seen: string[] = [];
    let isBroken = true;
    const why = new Error('the disk does not answer');
    const reader: Log['reader'] = (options) => {
      const inner = log.reader(options);
      const fetch = inner.fetch.bind(inner);
      return Object.assign(inner, {
        fetch: (...of: Parameters<LogReader['fetch']>) => (isBroken ? Promise.reject(why) : fetch(...of)),
      });
    };
    const watcher: Watcher = {
      waits: true,
      take({ count, positions, bytes, valueStarts, valueEnds }, from) {
        for (let i = 0; i < count; i++) {
          assert.ok(positions[i]! >= from);
          seen.push(`watched ${decode(bytes as Buffer, valueStarts[i]!, valueEnds[i]!).seq}`);
        }
      },
      failed(reason) {
        assert.equal(reason, why);
        seen.push('failed');
        isBroken = false;
      },
    };
    const broken = { admin: log.admin, reader, close: () => log.close() } as unknown as Log;
    const feed = await openFeed({ log: broken, clock: systemClock, partitions: 1, decode, names, watcher });
    try {
      feed.steps({}, undefined, ({ record }) => void seen.push(`taken ${record.seq}`));
      await append(log, 0, [step('a', 1)]);
      await until(() => seen.length === 3);
      assert.deepEqual(seen, ['failed', 'watched 1', 'taken 1']);
    } finally {
      await feed.close();
    }
  }));

test('nothing is read for nobody; who waits gets what came a while before, who subscribes what comes from then on', () =>
  opened(1, async (_, log) => {
    const clock = new VirtualClock();
    const watched: number[] = [];
    const watcher = {
      waits: false,
      take({ count, bytes, valueStarts, valueEnds }: BatchView) {
        for (let i = 0; i < count; i++) watched.push(decode(bytes as Buffer, valueStarts[i]!, valueEnds[i]!).seq);
      },
      failed: (reason: unknown) => assert.fail(String(reason)),
    };
    const feed = await openFeed({ log, clock, partitions: 1, decode, names, watcher });
    const rests = async () => {
      clock.advance(2000);
      await systemClock.sleep(5);
    };
    try {
      for (let seq = 1; seq <= 2; seq++) {
        await append(log, 0, [step('a', seq)]);
        await rests();
      }
      await append(log, 0, [step('a', 3)]);
      await systemClock.sleep(5);
      assert.deepEqual([watched, feed.cursor], [[], [3]]);
      watcher.waits = true;
      feed.wake();
      await until(() => watched.length === 2);
      assert.deepEqual(watched, [2, 3]);
      watcher.waits = false;
      await append(log, 0, [step('a', 4)]);
      await until(() => watched.length === 3);
      await append(log, 0, [step('a', 5)]);
      const taken: number[] = [];
      feed.steps({}, undefined, ({ record }) => void taken.push(record.seq));
      feed.steps({}, [1], ({ record }) => void taken.push(-record.seq));
      await append(log, 0, [step('a', 6)]);
      await until(() => taken.length === 6);
      assert.deepEqual(
        taken.toSorted((a, b) => a - b),
        [-6, -5, -4, -3, -2, 6],
      );
    } finally {
      await feed.close();
    }
    assert.equal(clock.nextTimer(), undefined);
  }));

test('a feed that is closed ends its subscriptions', () =>
  opened(1, async (open) => {
    const feed = await open();
    const { ended } = feed.steps({}, [], () => undefined);
    await feed.close();
    await ended;
  }));
