import assert from 'node:assert/strict';
import { batch, batchAt, type LogCase, refuses } from './bench.conformance.ts';

export const ADMIN_CASES: readonly LogCase[] = [
  {
    name: 'admin: a topic is created with every default filled in, described and listed',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 3, cleanup: 'compact', retentionMs: 5000 });
      await log.admin.create('audit.v-1_x', { partitions: 1 });
      const described = await log.admin.describe('orders');
      assert.ok(described);
      assert.deepEqual(described.settings, {
        partitions: 3,
        cleanup: 'compact',
        retentionMs: 5000,
        retentionBytes: -1,
        segmentBytes: 64 << 20,
        maxMessageBytes: 8 << 20,
        deleteRetentionMs: 7 * 86_400_000,
      });
      assert.equal(described.topic, 'orders');
      const names = await log.admin.list();
      assert.ok(names.includes('orders') && names.includes('audit.v-1_x'));
      assert.equal(await log.admin.describe('absent'), undefined);
    },
  },
  {
    name: 'admin: a topic that exists, has a bad name or no partitions is refused',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      assert.match(await refuses('topic.exists', log.admin.create('orders', { partitions: 2 })), /orders/);
      await refuses('topic.settings', log.admin.create('or/ders', { partitions: 1 }));
      await refuses('topic.settings', log.admin.create('..', { partitions: 1 }));
      await refuses('topic.settings', log.admin.create('none', { partitions: 0 }));
    },
  },
  {
    name: 'admin: a topic made anew under the same name has another id and nothing in it',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1'));
      const before = await log.admin.describe('orders');
      await log.admin.delete('orders');
      assert.equal(await log.admin.describe('orders'), undefined);
      assert.ok(!(await log.admin.list()).includes('orders'));
      await refuses('topic.missing', producer.append('orders', 0, batch('a=2')));
      await log.admin.create('orders', { partitions: 1 });
      assert.notEqual((await log.admin.describe('orders'))?.id, before?.id);
      assert.deepEqual(await log.admin.bounds('orders', 0), { start: 0, stable: 0, end: 0 });
      await refuses('topic.missing', log.admin.delete('absent'));
    },
  },
  {
    name: 'admin: settings other than the partition count can be altered',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 2 });
      await log.admin.alter('orders', { retentionMs: 1000, maxMessageBytes: 200 });
      const settings = (await log.admin.describe('orders'))?.settings;
      assert.equal(settings?.retentionMs, 1000);
      assert.equal(settings?.partitions, 2);
      assert.equal(settings?.segmentBytes, 64 << 20);
      const producer = await log.producer({});
      await refuses('log.oversize', producer.append('orders', 0, batch(`a=${'x'.repeat(300)}`)));
      await refuses('topic.missing', log.admin.alter('absent', { retentionMs: 1 }));
    },
  },
  {
    name: 'admin: bounds of a missing topic or partition are refused by name',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      assert.match(await refuses('topic.missing', log.admin.bounds('absent', 0)), /absent/);
      assert.match(await refuses('topic.missing', log.admin.bounds('orders', 1)), /orders.*1/);
    },
  },
  {
    name: 'admin: positions are found by time, also among records that are out of order',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      for (const [i, timestamp] of [1000, 5000, 3000, 9000].entries()) {
        await producer.append('orders', 0, batchAt(timestamp, `a=${i}`, `b=${i}`));
      }
      const since = (timestamp: number) => log.admin.positionSince('orders', 0, timestamp);
      assert.deepEqual(await Promise.all([0, 1000, 1001, 5001, 9000, 9001].map(since)), [0, 0, 2, 6, 6, 8]);
      await log.admin.deleteRecords('orders', 0, 3);
      assert.equal(await since(0), 3);
      assert.equal(await since(-5), 3);
      await refuses('topic.missing', log.admin.positionSince('absent', 0, 1));
    },
  },
  {
    name: 'admin: positions are found by time over many segments, while clocks jump',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1, segmentBytes: 256 << 10 });
      const producer = await log.producer({});
      const times = Array.from(
        { length: 40 },
        (_, i) => 1000 + i * 10 + (i % 7 === 3 ? -150 : 0) + (i === 20 ? 95 : 0),
      );
      const text = 'x'.repeat(60_000);
      for (const [i, timestamp] of times.entries())
        await producer.append('orders', 0, batchAt(timestamp, `a${i}=${text}`));
      for (let at = 840; at < 1450; at += 5) {
        const found = times.findIndex((each) => each >= at);
        assert.equal(await log.admin.positionSince('orders', 0, at), found < 0 ? times.length : found, `since ${at}`);
      }
    },
  },
  {
    name: 'admin: deleted records are gone, the start has moved, reading below it is refused',
    async run({ log, read }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      await producer.append('orders', 0, batch('a=1', 'b=2', 'c=3'));
      await producer.append('orders', 0, batch('d=4'));
      assert.equal(await log.admin.deleteRecords('orders', 0, 2), 2);
      assert.deepEqual(await log.admin.bounds('orders', 0), { start: 2, stable: 4, end: 4 });
      assert.deepEqual(
        (await read('orders')).map(({ position }) => position),
        [2, 3],
      );
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 1 }]);
      assert.match(await refuses('log.range', reader.fetch(0)), /orders\/0/);
      assert.equal(await log.admin.deleteRecords('orders', 0, 1), 2, 'the start never falls');
      assert.equal(await log.admin.deleteRecords('orders', 0, 4), 4);
      assert.deepEqual(await read('orders'), []);
    },
  },
  {
    name: 'admin: records at or above the stable position are not deleted',
    async run({ log, until }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.append('orders', 0, batch('a=1'));
      await producer.commit();
      await until('the commit to show', async () => (await log.admin.bounds('orders', 0)).stable > 0);
      const { stable } = await log.admin.bounds('orders', 0);
      producer.begin();
      await producer.append('orders', 0, batch('b=2'));
      assert.equal(await log.admin.deleteRecords('orders', 0, stable + 1), stable);
      await producer.abort();
    },
  },
  {
    name: 'admin: compaction keeps the last record of each key at its position, tombstones for a while',
    async run({ log, open, read, pass, values }) {
      assert.ok(open.compact, 'compaction can be asked for');
      await log.admin.create('table', {
        partitions: 1,
        cleanup: 'compact',
        deleteRetentionMs: 300,
        segmentBytes: 1024,
      });
      const producer = await log.producer({});
      await producer.append('table', 0, batch('a=1', 'b=1', 'c=1'));
      await producer.append('table', 0, batch('a=2', 'b='));
      await open.compact('table');
      assert.deepEqual(await read('table'), [
        { position: 2, key: 'c', value: '1' },
        { position: 3, key: 'a', value: '2' },
        { position: 4, key: 'b', value: null },
      ]);
      assert.deepEqual(
        (await read('table', 'committed', 1)).map(({ position }) => position),
        [2, 3, 4],
        'a position that is gone reads on at the next',
      );
      await pass(400);
      await open.compact('table');
      assert.deepEqual(await values('table'), ['1', '2']);
      assert.equal((await log.admin.bounds('table', 0)).end, 5);
    },
  },
  {
    name: 'admin: compaction stops at the stable position and drops aborted records',
    async run({ log, open, values }) {
      assert.ok(open.compact, 'compaction can be asked for');
      await log.admin.create('table', { partitions: 1, cleanup: 'compact' });
      const plain = await log.producer({});
      await plain.append('table', 0, batch('a=1'));
      const aborting = await log.producer({ transactionalId: 'x' });
      aborting.begin();
      await aborting.append('table', 0, batch('a=wrong'));
      await aborting.abort();
      const holding = await log.producer({ transactionalId: 'y' });
      holding.begin();
      await holding.append('table', 0, batch('a=open'));
      await open.compact('table');
      assert.deepEqual(await values('table'), ['1'], 'neither an aborted nor an open record replaces one');
      await holding.commit();
      await open.compact('table');
      assert.deepEqual(await values('table'), ['open']);
    },
  },
  {
    name: 'admin: retention deletes old batches from the front, by the timestamps of records',
    async run({ log, open, values }) {
      assert.ok(open.expire, 'retention can be asked for');
      const now = open.clock.now();
      await log.admin.create('news', { partitions: 1, cleanup: 'delete', retentionMs: 60_000, segmentBytes: 1 });
      const producer = await log.producer({});
      await producer.append('news', 0, batchAt(now - 120_000, 'a=old'));
      await producer.append('news', 0, batchAt(now, 'b=new'));
      await producer.append('news', 0, batchAt(now, 'c=newest'));
      await open.expire('news');
      assert.deepEqual(await values('news'), ['new', 'newest']);
      assert.equal((await log.admin.bounds('news', 0)).start, 1);
    },
  },
];
