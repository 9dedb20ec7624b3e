import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { partitionName } from '../../core/ids.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { basePosition, lastPosition } from '../batch-header.ts';
import { refuses } from '../conformance/bench.conformance.ts';
import type { Fetched } from '../log.ts';
import { FetchBrokers } from './fetch-brokers.fixture.ts';
import { KafkaReader } from './reader.ts';

const T = 'orders';

function world(seed = 1, maxPartitionBytes = 1 << 20) {
  const clock = new VirtualClock(0);
  const brokers = new FetchBrokers(clock, seed);
  const cluster = brokers.cluster();
  const reader = new KafkaReader(cluster, { isolation: 'uncommitted', maxPartitionBytes }, 'reader', () => undefined);
  return { clock, brokers, reader };
}

/** Turns the clock until a promise is settled. */
async function settle<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  for (let turns = 0; !settled; turns++) {
    await clock.turn();
    if (turns > 3 && !settled) clock.advance(5);
  }
  return promise;
}

const at = (partition: number, position = 0) => ({ topic: T, partition, position });

test('what is taken is asked on before it is handed over, and not before', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 1);
  for (let i = 0; i < 6; i++) brokers.append(T, 0, 10);
  reader.assign([at(0)]);
  const [first] = await settle(clock, reader.fetch(1000));
  assert.deepEqual([first?.position, first?.next, first?.end], [0, 60, 60]);
  assert.equal(brokers.requests.length, 2, 'the next request is under way while the caller works');
  brokers.append(T, 0, 10);
  for (let i = 0; i < 5; i++) await clock.turn();
  assert.equal(brokers.requests.length, 2, 'nothing more is asked until that is taken');
  const [second] = await settle(clock, reader.fetch(1000));
  assert.equal(second?.position, 60);
  first?.release();
  second?.release();
  await reader.close();
});

test('an idle partition is asked with patience; one that is new is answered at once beside it', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 2);
  for (const p of [0, 1]) brokers.partition(T, p).leader = 1;
  reader.assign([at(0)]);
  assert.deepEqual(await settle(clock, reader.fetch(10)), []);
  const waiting = reader.fetch(10_000);
  for (let i = 0; i < 5; i++) await clock.turn();
  assert.ok(brokers.requests.at(-1)!.maxWaitMs > 0);
  const before = clock.monotonic();
  brokers.append(T, 1, 1);
  reader.assign([at(1)]);
  for (let i = 0; i < 9; i++) await clock.turn();
  assert.equal((await waiting)[0]?.partition, 1);
  assert.equal(clock.monotonic(), before, 'without waiting for the request that is held');
  await reader.close();
});

test('a leader that moves is followed', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 1);
  brokers.append(T, 0, 3);
  reader.assign([at(0)]);
  (await settle(clock, reader.fetch(1000)))[0]?.release();
  brokers.move(T, 0);
  brokers.append(T, 0, 3);
  const [found] = await settle(clock, reader.fetch(5000));
  assert.deepEqual([found?.position, found?.next], [3, 6]);
  await reader.close();
});

test('while no broker can be reached fetches answer nothing, and reading goes on when one can', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 2);
  brokers.append(T, 0, 3);
  reader.assign([at(0), at(1)]);
  (await settle(clock, reader.fetch(1000)))[0]?.release();
  brokers.down = true;
  brokers.append(T, 1, 2);
  const asked = brokers.requests.length;
  for (let i = 0; i < 60; i++) assert.deepEqual(await settle(clock, reader.fetch(1000)), []);
  assert.ok(brokers.requests.length - asked < 10, 'nobody is asked who cannot be reached');
  brokers.down = false;
  const [found] = await settle(clock, reader.fetch(5000));
  assert.deepEqual([found?.partition, found?.next], [1, 2]);
  await reader.close();
});

test('a broker that throttles is left alone for as long as it says', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 1);
  brokers.append(T, 0, 3);
  brokers.throttleMs = 400;
  reader.assign([at(0)]);
  await settle(clock, reader.fetch(1000));
  const [first] = brokers.requests;
  brokers.append(T, 0, 3);
  assert.equal((await settle(clock, reader.fetch(5000)))[0]?.position, 3);
  assert.ok(brokers.requests[1]!.at - first!.at >= 400, JSON.stringify(brokers.requests));
  await reader.close();
});

test('a topic that was deleted, or made anew, ends the reading with an error that says so', async () => {
  for (const again of [false, true]) {
    const { clock, brokers, reader } = world();
    brokers.create(T, 1);
    brokers.append(T, 0, 3);
    reader.assign([at(0)]);
    (await settle(clock, reader.fetch(1000)))[0]?.release();
    brokers.delete(T);
    if (again) brokers.create(T, 1);
    const fetching = settle(clock, reader.fetch(5000));
    const message = await refuses(again ? 'topic.recreated' : 'topic.missing', fetching);
    assert.match(message, /orders.*was deleted.*orders\/0/);
    await refuses(again ? 'topic.recreated' : 'topic.missing', reader.fetch(0));
    reader.unassign([at(0)]);
    assert.deepEqual(await settle(clock, reader.fetch(0)), []);
    await reader.close();
  }
});

test('a position out of range is told with the bounds', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 1);
  for (let i = 0; i < 4; i++) brokers.append(T, 0, 10);
  brokers.partition(T, 0).start = 20;
  reader.assign([at(0, 5)]);
  assert.match(await refuses('log.range', settle(clock, reader.fetch(0))), /5 of orders\/0 .* 20 to 40/);
  reader.assign([at(0, 20)]);
  assert.equal((await settle(clock, reader.fetch(0)))[0]?.next, 40);
  await reader.close();
});

test('an answer for a partition that was moved or taken away is dropped', async () => {
  const { clock, brokers, reader } = world();
  brokers.create(T, 2);
  for (const p of [0, 1]) for (let i = 0; i < 3; i++) brokers.append(T, p, 10);
  reader.assign([at(0), at(1)]);
  const waiting = reader.fetch(1000);
  await Promise.resolve();
  reader.assign([at(0, 10)]);
  reader.unassign([at(1)]);
  const found = await settle(clock, waiting);
  assert.deepEqual(
    found.map(({ partition, position }) => [partition, position]),
    [[0, 10]],
  );
  for (const fetched of found) fetched.release();
  await reader.close();
  for (let i = 0; i < 5; i++) await clock.turn();
  assert.equal(brokers.lent, 0);
});

test('what has come for paused partitions is kept, but not beyond a bound of memory', async () => {
  for (const bytes of [1 << 20, 6 << 20]) {
    const { clock, brokers, reader } = world(1, 8 << 20);
    brokers.create(T, 12);
    const all = Array.from({ length: 12 }, (_, p) => at(p));
    for (const { partition } of all) {
      brokers.partition(T, partition).leader = 1;
      brokers.append(T, partition, 1, bytes);
    }
    reader.assign(all);
    const waiting = reader.fetch(100);
    while (brokers.requests.length === 0) await clock.turn();
    for (const partition of all) reader.pause(partition);
    assert.deepEqual(await settle(clock, waiting), []);
    assert.deepEqual(await settle(clock, reader.fetch(0)), []);
    const kept = brokers.lent > 0;
    assert.equal(kept, bytes === 1 << 20);
    const asked = brokers.requests.length;
    for (const partition of all) reader.resume(partition);
    const found = await settle(clock, reader.fetch(1000));
    assert.equal(found.length, 12);
    assert.equal(brokers.requests.length, asked + (kept ? 1 : 2));
    for (const fetched of found) fetched.release();
    await reader.close();
  }
});

/** Any order of assignments, pauses, appends and faults: every partition is read once, in order, from its position. */
async function anyOrder(seed: number): Promise<void> {
  const { clock, brokers, reader } = world(seed, 300);
  const random = seededRandom(seed);
  const partitions = 5;
  brokers.create(T, partitions);
  brokers.losses = 0.1;
  brokers.refusals = 0.1;
  const expected = new Map<string, number>();
  const held: Fetched[] = [];
  const check = (found: readonly Fetched[]) => {
    for (const fetched of found) {
      const name = partitionName(fetched.topic, fetched.partition);
      assert.equal(fetched.position, expected.get(name), `seed ${seed}: ${name}`);
      let next = fetched.position;
      for (const [i, start] of fetched.starts.entries()) {
        assert.ok(basePosition(fetched.bytes, start) <= next, `seed ${seed}: ${name}`);
        next = lastPosition(fetched.bytes, start) + 1;
        assert.ok(fetched.ends[i]! <= fetched.bytes.length);
      }
      assert.equal(fetched.next, next);
      expected.set(name, next);
      held.push(fetched);
    }
  };
  for (let step = 0; step < 150; step++) {
    const p = randomInt(random, partitions);
    const place = { topic: T, partition: p };
    const name = partitionName(T, p);
    const act = randomInt(random, 12);
    if (act < 4) brokers.append(T, p, 1 + randomInt(random, 4), 1 + randomInt(random, 80));
    else if (act === 4) {
      const position = randomInt(random, brokers.partition(T, p).end + 1);
      expected.set(name, position);
      reader.assign([{ ...place, position }]);
    } else if (act === 5) {
      expected.delete(name);
      reader.unassign([place]);
    } else if (act === 6) reader.pause(place);
    else if (act === 7) reader.resume(place);
    else if (act === 8) brokers.move(T, p);
    else if (act === 9) held.shift()?.release();
    else check(await settle(clock, reader.fetch(randomInt(random, 200))));
  }
  brokers.losses = 0;
  brokers.refusals = 0;
  for (const [name] of expected) reader.resume({ topic: T, partition: Number(name.split('/')[1]) });
  for (let idle = 0; idle < 8; idle++) {
    const found = await settle(clock, reader.fetch(1000));
    if (found.length > 0) idle = 0;
    check(found);
  }
  for (const [name, position] of expected) {
    assert.equal(
      position,
      brokers.partition(T, Number(name.split('/')[1])).end,
      `seed ${seed}: ${name} is read to its end`,
    );
  }
  for (const fetched of held) fetched.release();
  await reader.close();
  for (let i = 0; i < 5; i++) await clock.turn();
  assert.equal(brokers.lent, 0, `seed ${seed}: every buffer is given back`);
}

test('whatever happens meanwhile, each partition is read from its position, in order, to its end', async () => {
  for (let seed = 1; seed <= 40; seed++) await anyOrder(seed);
});
