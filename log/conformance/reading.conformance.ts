import assert from 'node:assert/strict';
import { batchHeader } from '../batch.ts';
import { batch, type LogCase, readTo, refuses } from './bench.conformance.ts';

export const READING_CASES: readonly LogCase[] = [
  {
    name: 'reading: records come back in the order of appends, at rising positions',
    async run({ log, read }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      assert.equal(await producer.append('orders', 0, batch('a=1', 'b=2')), 0);
      assert.equal(await producer.append('orders', 0, batch('a=', '=3')), 2);
      assert.deepEqual(await read('orders'), [
        { position: 0, key: 'a', value: '1' },
        { position: 1, key: 'b', value: '2' },
        { position: 2, key: 'a', value: null },
        { position: 3, key: null, value: '3' },
      ]);
    },
  },
  {
    name: 'reading: appends to one partition keep the order of calls, also when not awaited one by one',
    async run({ log, values }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      const sent = Array.from({ length: 50 }, (_, i) => producer.append('orders', 0, batch(`k=${i}`)));
      assert.deepEqual(await Promise.all(sent), [...sent.keys()]);
      assert.deepEqual(await values('orders'), [...sent.keys()].map(String));
    },
  },
  {
    name: 'reading: batches come whole; the first may begin below the position asked for',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1', 'b=2', 'c=3'));
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 2 }]);
      const [fetched] = await reader.fetch(60_000);
      assert.ok(fetched);
      assert.equal(fetched.position, 2);
      assert.equal(fetched.next, 3);
      assert.equal(fetched.end, 3);
      const header = batchHeader(fetched.bytes, fetched.starts[0]!);
      assert.equal(header.basePosition, 0);
      assert.equal(header.count, 3);
      assert.equal(fetched.ends[0]! - fetched.starts[0]!, header.length);
      fetched.release();
      await reader.close();
    },
  },
  {
    name: 'reading: a fetch holds at most its bytes per partition, but always one batch',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      for (let i = 0; i < 6; i++) await producer.append('orders', 0, batch(`k${i}=${'x'.repeat(200)}`));
      const small = log.reader({ isolation: 'committed', maxPartitionBytes: 10 });
      small.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      const [one] = await small.fetch(60_000);
      assert.equal(one?.starts.length, 1);
      assert.equal(one?.next, 1);
      const middle = log.reader({ isolation: 'committed', maxPartitionBytes: 700 });
      middle.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      const [two] = await middle.fetch(60_000);
      assert.ok(two && two.starts.length >= 1 && two.starts.length < 6);
      assert.equal((await readTo(middle, two.next, 6)).length, 6 - two.next);
      await small.close();
      await middle.close();
    },
  },
  {
    name: 'reading: a fetch answers at most one element per partition, of every partition in the end',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 4 });
      const producer = await log.producer({});
      for (let p = 0; p < 4; p++) await producer.append('orders', p, batch(`k=${p}`));
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([0, 1, 2, 3].map((partition) => ({ topic: 'orders', partition, position: 0 })));
      const seen = new Set<number>();
      for (let i = 0; i < 20 && seen.size < 4; i++) {
        const answer = await reader.fetch(60_000);
        assert.equal(new Set(answer.map(({ partition }) => partition)).size, answer.length);
        for (const { partition } of answer) seen.add(partition);
      }
      assert.equal(seen.size, 4);
      await reader.close();
    },
  },
  {
    name: 'reading: a fetch without news waits, then answers nothing; news or an abort end the wait',
    async run({ log, pass, until }) {
      await log.admin.create('orders', { partitions: 1 });
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      assert.deepEqual(await reader.fetch(0), []);
      let answered = false;
      const idle = reader.fetch(60).finally(() => {
        answered = true;
      });
      await until('the end of the wait', async () => {
        await pass(20);
        return answered;
      });
      assert.deepEqual(await idle, []);
      const stop = new AbortController();
      const stopped = reader.fetch(60_000, stop.signal);
      stop.abort();
      assert.deepEqual(await stopped, []);
      const waiting = reader.fetch(60_000);
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      assert.equal((await waiting)[0]?.next, 1);
      await reader.close();
    },
  },
  {
    name: 'reading: where a partition ends is told, if at all, behind what was answered, and not behind what is open',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 2 });
      const [orders, other] = [0, 1].map((partition) => ({ topic: 'orders', partition }));
      const readers = (['committed', 'uncommitted'] as const).map((isolation) => log.reader({ isolation }));
      for (const reader of readers) reader.assign([orders!, other!].map((each) => ({ ...each, position: 0 })));
      const ends = () => readers.map((reader) => [reader.end?.(orders!), reader.end?.(other!)]);
      if (readers.every(({ end }) => end !== undefined)) {
        assert.deepEqual(ends(), [
          [0, 0],
          [0, 0],
        ]);
        const plain = await log.producer({});
        await plain.append('orders', 0, batch('a=1', 'b=2'));
        assert.deepEqual(ends(), [
          [2, 0],
          [2, 0],
        ]);
        const producer = await log.producer({ transactionalId: 'one' });
        producer.begin();
        await producer.append('orders', 0, batch('a=3'));
        await producer.append('orders', 1, batch('b=3'));
        assert.deepEqual(ends()[0], [2, 0]);
        await producer.commit();
        for (const [first, second] of ends()) assert.ok(first! >= 3 && second! >= 1);
        const found = await readers[0]!.fetch(60_000);
        const next = (partition: number) => found.find((each) => each.partition === partition)!.next;
        assert.deepEqual([next(0), next(1)], ends()[0]);
        await log.admin.delete('orders');
        assert.deepEqual(ends(), [
          [next(0), next(1)],
          [0, 0],
        ]);
      }
      for (const reader of readers) await reader.close();
    },
  },
  {
    name: 'reading: a paused partition is not fetched until it is resumed, at the same position',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 2 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      await producer.append('orders', 1, batch('b=1'));
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([0, 1].map((partition) => ({ topic: 'orders', partition, position: 0 })));
      reader.pause({ topic: 'orders', partition: 0 });
      const first = await reader.fetch(60_000);
      assert.deepEqual(
        first.map(({ partition }) => partition),
        [1],
      );
      assert.deepEqual(await reader.fetch(0), []);
      reader.resume({ topic: 'orders', partition: 0 });
      const [second] = await reader.fetch(60_000);
      assert.equal(second?.partition, 0);
      assert.equal(second?.position, 0);
      await reader.close();
    },
  },
  {
    name: 'reading: a resume ends the wait of a fetch',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      reader.pause({ topic: 'orders', partition: 0 });
      const waiting = reader.fetch(60_000);
      reader.resume({ topic: 'orders', partition: 0 });
      assert.equal((await waiting).length, 1);
      await reader.close();
    },
  },
  {
    name: 'reading: partitions can be moved to another position and taken away',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      await producer.append('orders', 0, batch('b=2'));
      const reader = log.reader({ isolation: 'committed' });
      const place = { topic: 'orders', partition: 0 };
      reader.assign([{ ...place, position: 0 }]);
      await readTo(reader, 0, 2);
      reader.assign([{ ...place, position: 1 }]);
      const [again] = await reader.fetch(60_000);
      assert.equal(again?.position, 1);
      reader.assign([{ ...place, position: 0 }]);
      reader.unassign([place]);
      assert.deepEqual(await reader.fetch(0), []);
      await reader.close();
    },
  },
  {
    name: 'reading: a position outside the partition, a missing topic or partition is refused by name',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 7 }]);
      assert.match(await refuses('log.range', reader.fetch(0)), /7.*orders\/0/);
      reader.unassign([{ topic: 'orders', partition: 0 }]);
      reader.assign([{ topic: 'absent', partition: 0, position: 0 }]);
      assert.match(await refuses('topic.missing', reader.fetch(0)), /absent/);
      await reader.close();
    },
  },
  {
    name: 'reading: closing a reader ends its waiting fetch with nothing; a later fetch is refused',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      const waiting = reader.fetch(60_000);
      await reader.close();
      assert.deepEqual(await waiting, []);
      await refuses('log.closed', reader.fetch(0));
    },
  },
  {
    name: 'reading: a released buffer does not disturb what another reader holds',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      const one = log.reader({ isolation: 'committed' });
      const other = log.reader({ isolation: 'committed' });
      for (const reader of [one, other]) reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      const [first] = await one.fetch(60_000);
      const [second] = await other.fetch(60_000);
      const kept = Buffer.from(second!.bytes.subarray(second!.starts[0], second!.ends[0]));
      first!.release();
      await producer.append('orders', 0, batch('b=2'));
      (await one.fetch(60_000))[0]?.release();
      assert.deepEqual(second!.bytes.subarray(second!.starts[0], second!.ends[0]), kept);
      await one.close();
      await other.close();
    },
  },
];
