import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { Stale } from './error-codes.ts';
import type { Metadata } from './library.ts';
import { Missing, TopicCache } from './metadata.ts';
import { Versions } from './versions.ts';

const ID = '01234567-89ab-cdef-0123-456789abcdef';

interface Told {
  /** Leaders of partitions; -1 for none. */
  readonly leaders?: readonly number[];
  readonly errorCode?: number;
}

/** A cache over brokers that tell what `told` says; `asked` holds the topics of each request. */
function cacheOver(told: Record<string, Told>) {
  const asked: string[][] = [];
  const cache = new TopicCache(async (topics) => {
    asked.push([...topics]);
    const answers = topics.map((name) => {
      const { leaders = [], errorCode = 0 } = told[name] ?? { errorCode: 3 };
      const partitions = leaders.map((leaderId, partitionIndex) => {
        return {
          errorCode: 0,
          partitionIndex,
          leaderId,
          leaderEpoch: 7,
          replicaNodes: [],
          isrNodes: [],
          offlineReplicas: [],
        };
      });
      return { errorCode, name, topicId: ID, isInternal: false, partitions, topicAuthorizedOperations: 0 };
    });
    return { throttleTimeMs: 0, brokers: [], clusterId: null, controllerId: 1, topics: answers } satisfies Metadata;
  });
  return { cache, asked };
}

test('questions that come together travel together, and what is known is not asked again', async () => {
  const { cache, asked } = cacheOver({ orders: { leaders: [1, 2] }, audit: { leaders: [2] } });
  const found = await Promise.all([cache.leader('orders', 1), cache.leader('audit', 0), cache.topic('orders')]);
  assert.deepEqual(asked, [['orders', 'audit']]);
  assert.deepEqual([found[0].broker, found[0].epoch, found[1].broker], [2, 7, 2]);
  assert.equal(found[0].topicId.toString('hex'), ID.replaceAll('-', ''));
  assert.deepEqual([found[2]?.id, found[2]?.partitions], [ID, 2]);
  assert.equal(await cache.leader('orders', 0), await cache.leader('orders', 0), 'no object is made for it');
  cache.stale('orders');
  await Promise.all([cache.leader('orders', 0), cache.leader('audit', 0)]);
  assert.deepEqual(asked.slice(1), [['orders']]);
});

test('a topic or partition that is not there is told as missing, one without a leader as stale', async () => {
  const told: Record<string, Told> = { orders: { leaders: [1, -1] } };
  const { cache } = cacheOver(told);
  assert.equal(await cache.topic('absent'), undefined);
  for (const [topic, partition, message] of [
    ['absent', 0, /topic absent does not exist/],
    ['orders', 2, /orders\/2 does not exist, the topic has 2 partitions/],
  ] as const) {
    const missing = await cache.leader(topic, partition).catch((thrown: unknown) => thrown);
    assert.ok(missing instanceof Missing);
    assert.ok(isFlowError(missing.final(), 'topic.missing') && message.test(missing.final().message));
  }
  const none = await cache.leader('orders', 1).catch((thrown: unknown) => thrown);
  assert.ok(none instanceof Stale && !(none instanceof Missing) && /orders\/1 has no leader/.test(none.message));
  told['orders'] = { leaders: [1, 2] };
  assert.equal((await cache.leader('orders', 1)).broker, 2, 'it is asked anew');
});

test('rights that are missing are told, not taken for a topic that is', async () => {
  const { cache } = cacheOver({ secret: { errorCode: 29 } });
  await assert.rejects(cache.leader('secret', 0), (thrown) => isFlowError(thrown, 'kafka.rights'));
});

test('the newest version that both sides know is chosen; a broker without one is told as too old', () => {
  const versions = new Versions('kafka:9092', new Map([[1, [0, 15]]]), new Map([['transaction.version', 2]]));
  assert.equal(versions.newest('Fetch', 1, 13, 17), 15);
  assert.equal(versions.choose('Fetch', { key: 1, version: 17 }, { key: 1, version: 14 }).version, 14);
  assert.deepEqual([versions.feature('transaction.version'), versions.feature('other')], [2, 0]);
  for (const ask of [
    () => versions.newest('Fetch', 1, 16, 17),
    () => versions.choose('Produce', { key: 0, version: 9 }),
  ]) {
    assert.throws(ask, (thrown) => isFlowError(thrown, 'kafka.version') && /kafka:9092.*3\.7/.test(thrown.message));
  }
});
