import assert from 'node:assert/strict';
import { batch, type LogCase, refuses } from './bench.conformance.ts';

export const TRANSACTION_CASES: readonly LogCase[] = [
  {
    name: 'writing: a corrupt batch is refused, naming topic and partition',
    async run({ log, values }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({});
      const broken = batch('a=1');
      broken[broken.length - 2]! ^= 1;
      assert.match(await refuses('log.corrupt', producer.append('orders', 0, broken)), /orders\/0/);
      const short = batch('a=1');
      await refuses('log.corrupt', producer.append('orders', 0, short.subarray(0, short.length - 1)));
      await refuses('log.corrupt', producer.append('orders', 0, Buffer.alloc(10)));
      await producer.append('orders', 0, batch('a=2'));
      assert.deepEqual(await values('orders'), ['2']);
    },
  },
  {
    name: 'writing: a batch over the limit, a missing topic or partition is refused by name',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1, maxMessageBytes: 100 });
      const producer = await log.producer({});
      const large = producer.append('orders', 0, batch(`a=${'x'.repeat(200)}`));
      assert.match(await refuses('log.oversize', large), /orders\/0.*100/);
      assert.match(await refuses('topic.missing', producer.append('absent', 0, batch('a=1'))), /absent/);
      await refuses('topic.missing', producer.append('orders', 5, batch('a=1')));
    },
  },
  {
    name: 'transactions: appends to several partitions become visible together at the commit',
    async run({ log, values, shows }) {
      await log.admin.create('orders', { partitions: 2 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.append('orders', 0, batch('a=1'));
      await producer.append('orders', 1, batch('b=2', 'c=3'));
      assert.deepEqual(await values('orders', 'committed', 0), []);
      assert.deepEqual(await values('orders', 'committed', 1), []);
      await producer.commit();
      await shows('orders', ['1'], 'committed', 0);
      await shows('orders', ['2', '3'], 'committed', 1);
    },
  },
  {
    name: 'transactions: aborted appends are never seen by a committed reader, who passes them',
    async run({ log, read, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.append('orders', 0, batch('a=no'));
      await producer.abort();
      producer.begin();
      await producer.append('orders', 0, batch('a=yes'));
      await producer.commit();
      await shows('orders', ['yes']);
      const positions = (await read('orders')).map(({ position }) => position);
      const { end, stable } = await log.admin.bounds('orders', 0);
      assert.ok(positions[0]! >= 1 && end > positions[0]! && stable === end);
    },
  },
  {
    name: 'transactions: an uncommitted reader sees open appends at once',
    async run({ log, values }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.append('orders', 0, batch('a=1'));
      assert.deepEqual(await values('orders', 'uncommitted'), ['1']);
      await producer.commit();
      assert.deepEqual(await values('orders', 'uncommitted'), ['1']);
    },
  },
  {
    name: 'transactions: a committed reader stops at the first record of the oldest open transaction',
    async run({ log, values, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const plain = await log.producer({});
      const one = await log.producer({ transactionalId: 'one' });
      const two = await log.producer({ transactionalId: 'two' });
      await plain.append('orders', 0, batch('p=1'));
      one.begin();
      two.begin();
      await one.append('orders', 0, batch('a=2'));
      await two.append('orders', 0, batch('b=3'));
      await plain.append('orders', 0, batch('p=4'));
      await two.commit();
      assert.deepEqual(await values('orders'), ['1']);
      assert.equal((await log.admin.bounds('orders', 0)).stable, 1);
      await one.abort();
      await shows('orders', ['1', '3', '4']);
    },
  },
  {
    name: 'transactions: a commit ends the wait of a committed fetch',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
      const waiting = reader.fetch(60_000);
      producer.begin();
      await producer.append('orders', 0, batch('a=1'));
      await producer.commit();
      assert.equal((await waiting)[0]?.starts.length, 1);
      await reader.close();
    },
  },
  {
    name: 'transactions: an empty one commits and aborts; many follow one another',
    async run({ log, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.commit();
      producer.begin();
      await producer.abort();
      const expected: string[] = [];
      for (let i = 0; i < 10; i++) {
        producer.begin();
        await producer.append('orders', 0, batch(`k=${i}`));
        if (i % 3 === 0) await producer.abort();
        else {
          await producer.commit();
          expected.push(String(i));
        }
      }
      await shows('orders', expected);
    },
  },
  {
    name: 'transactions: calls in the wrong state are refused',
    async run({ log }) {
      await log.admin.create('orders', { partitions: 1 });
      const plain = await log.producer({});
      assert.throws(() => plain.begin());
      const producer = await log.producer({ transactionalId: 't' });
      await assert.rejects(producer.append('orders', 0, batch('a=1')));
      await assert.rejects(producer.commit());
      producer.begin();
      assert.throws(() => producer.begin());
      await producer.abort();
      await producer.close();
      await refuses('log.closed', producer.append('orders', 0, batch('a=1')));
    },
  },
  {
    name: 'fencing: a second producer of an id aborts the open transaction of the first and fences it',
    async run({ log, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const first = await log.producer({ transactionalId: 't' });
      first.begin();
      await first.append('orders', 0, batch('a=old'));
      const second = await log.producer({ transactionalId: 't' });
      await refuses('log.fenced', first.append('orders', 0, batch('a=older')));
      await refuses('log.fenced', first.commit());
      await refuses('log.fenced', first.abort());
      await first.close();
      second.begin();
      await second.append('orders', 0, batch('a=new'));
      await second.commit();
      await shows('orders', ['new']);
    },
  },
  {
    name: 'fencing: producers of other ids, and without an id, are not touched',
    async run({ log, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const other = await log.producer({ transactionalId: 'other' });
      const plain = await log.producer({});
      other.begin();
      await other.append('orders', 0, batch('o=1'));
      await log.producer({ transactionalId: 't' });
      await log.producer({ transactionalId: 't' });
      await plain.append('orders', 0, batch('p=2'));
      await other.commit();
      await shows('orders', ['1', '2']);
    },
  },
  {
    name: 'transactions: one open past its timeout is aborted by the log, and its producer fenced',
    async run({ log, pass, until, values, shows }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't', transactionTimeoutMs: 1000 });
      producer.begin();
      await producer.append('orders', 0, batch('a=late'));
      await pass(1500);
      await until('the abort', async () => (await log.admin.bounds('orders', 0)).stable > 0);
      await refuses('log.fenced', producer.commit());
      assert.deepEqual(await values('orders'), []);
      const next = await log.producer({ transactionalId: 't' });
      next.begin();
      await next.append('orders', 0, batch('a=next'));
      await next.commit();
      await shows('orders', ['next']);
    },
  },
  {
    name: 'transactions: closing a producer aborts what it has open',
    async run({ log, until, values }) {
      await log.admin.create('orders', { partitions: 1 });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.append('orders', 0, batch('a=1'));
      await producer.close();
      await until('the abort', async () => (await log.admin.bounds('orders', 0)).stable > 0);
      assert.deepEqual(await values('orders'), []);
    },
  },
];
