import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeSettings } from '../settings.ts';
import { copiesOf, creationConfigs, settingsOf, topicConfigs } from './topic-configs.ts';

const describe = (partitions: number, settings: Parameters<typeof topicConfigs>[0]) =>
  settingsOf(partitions, new Map(Object.entries(topicConfigs(settings))));

test('copies that were not asked for, or by -1, are no wish', () => {
  const configs = new Map([['min.insync.replicas', '2']]);
  assert.deepEqual(copiesOf(3, undefined, configs), { fewest: 3, needed: 2 });
  assert.deepEqual(copiesOf(3, -1, configs), { fewest: 3, needed: 2 });
  assert.deepEqual(copiesOf(1, 3, new Map()), { fewest: 1, needed: 1, asked: 3 });
});

test('settings come back as they were given', () => {
  for (const cleanup of ['none', 'compact', 'compact,delete'] as const) {
    const settings = completeSettings({ partitions: 3, cleanup, segmentBytes: 2 << 20, deleteRetentionMs: 5 });
    assert.deepEqual(describe(3, settings), settings);
  }
  const settings = completeSettings({ partitions: 1, cleanup: 'delete', retentionMs: 60_000, retentionBytes: 1 << 30 });
  assert.deepEqual(describe(1, settings), settings);
});

test('a topic that deletes nothing is one of delete that keeps for ever', () => {
  const none = topicConfigs(completeSettings({ partitions: 1, retentionMs: 5 }));
  assert.deepEqual([none['cleanup.policy'], none['retention.ms'], none['retention.bytes']], ['delete', '-1', '-1']);
  assert.equal(describe(1, completeSettings({ partitions: 1, cleanup: 'delete' })).cleanup, 'none');
  assert.deepEqual(topicConfigs({ retentionMs: 7 }), { 'retention.ms': '7' });
});

test('topics that we make take times of any age, and spare a copy where there are three (hard place 8)', () => {
  const longest = String(2n ** 63n - 1n);
  assert.deepEqual(creationConfigs(1), {
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.before.max.ms': longest,
    'message.timestamp.after.max.ms': longest,
    'segment.ms': longest,
  });
  assert.equal(creationConfigs(3)['min.insync.replicas'], '2');
  assert.equal(creationConfigs(-1)['min.insync.replicas'], undefined);
});

test('segments are not smaller than brokers take them', () => {
  assert.equal(topicConfigs({ segmentBytes: 1024 })['segment.bytes'], String(1 << 20));
});
