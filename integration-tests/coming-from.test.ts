import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CONFIG_KEYS } from '../cli/config-keys.ts';

const document = readFileSync(new URL('../docs/coming-from-kafka-streams.md', import.meta.url), 'utf8');
/** What stands in code in the left column of the tables, and in the sentence before that of the settings. */
const left = document
  .split('\n')
  .filter((line) => line.includes(' | ') || line.startsWith('Settings of'))
  .flatMap((line) => [...line.split(/(?<!\\) \| /)[0]!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!));

/** The public methods of the DSL of Kafka Streams 4.3.1, as `javap` prints them. */
const METHODS: { readonly [type: string]: string } = {
  StreamsBuilder: 'addGlobalStore addStateStore build globalTable stream table',
  KStream:
    'filter filterNot flatMap flatMapValues foreach groupBy groupByKey join leftJoin map mapValues merge outerJoin ' +
    'peek print process processValues repartition selectKey split to toTable',
  BranchedKStream: 'branch defaultBranch noDefaultBranch',
  KTable:
    'filter filterNot groupBy join leftJoin mapValues outerJoin queryableStoreName suppress toStream transformValues',
  KGroupedStream: 'aggregate cogroup count reduce windowedBy',
  windowed: 'aggregate count emitStrategy reduce',
};

/** The settings of its `StreamsConfig`. */
const SETTINGS =
  'acceptable.recovery.lag allow.os.group.write.access application.id application.server bootstrap.servers ' +
  'buffered.records.per.partition built.in.metrics.version cache.max.bytes.buffering client.id commit.interval.ms ' +
  'connections.max.idle.ms default.client.supplier default.deserialization.exception.handler default.dsl.store ' +
  'default.key.serde default.production.exception.handler default.timestamp.extractor default.value.serde ' +
  'deserialization.exception.handler dsl.store.format dsl.store.suppliers.class enable.metrics.push ' +
  'ensure.explicit.internal.resource.naming errors.dead.letter.queue.topic.name group.protocol ' +
  'log.summary.interval.ms max.task.idle.ms max.warmup.replicas metadata.max.age.ms metric.reporters ' +
  'metrics.num.samples metrics.recording.level metrics.sample.window.ms num.standby.replicas num.stream.threads ' +
  'poll.ms probing.rebalance.interval.ms processing.exception.handler processing.exception.handler.global.enabled ' +
  'processing.guarantee processor.wrapper.class production.exception.handler ' +
  'rack.aware.assignment.non_overlap_cost rack.aware.assignment.strategy rack.aware.assignment.tags ' +
  'rack.aware.assignment.traffic_cost receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms ' +
  'repartition.purge.interval.ms replication.factor request.timeout.ms retry.backoff.ms rocksdb.config.setter ' +
  'security.protocol send.buffer.bytes state.cleanup.delay.ms state.cleanup.dir.max.age.ms state.dir ' +
  'statestore.cache.max.bytes task.assignor.class task.timeout.ms topology.optimization upgrade.from window.size.ms ' +
  'windowed.inner.class.serde windowstore.changelog.additional.retention.ms admin. client.tag. consumer. ' +
  'global.consumer. main.consumer. producer. restore.consumer. topic.';

test('every method of the DSL of Kafka Streams stands beside one of ours', () => {
  const named = new Set(left.flatMap((code) => code.match(/[A-Za-z]+/g) ?? []));
  const missing = Object.entries(METHODS).flatMap(([type, methods]) =>
    methods.split(' ').flatMap((method) => (named.has(method) ? [] : [`${type}.${method}`])),
  );
  assert.deepEqual(missing, []);
});

test('every setting of Kafka Streams stands beside one of ours', () => {
  assert.deepEqual(
    SETTINGS.split(' ').filter((name) => !left.includes(name)),
    [],
  );
});

test('every key of the configuration that it names is there', () => {
  const [, settings] = document.split('## Settings');
  const right = settings!
    .split('\n')
    .flatMap((line) => [
      ...(line.split(' | ')[1] ?? '').matchAll(/`((?:run|state|kafka|metrics|log|output|data)\.\w+)`/g),
    ]);
  const keys = right.map(([, key]) => key!);
  assert.ok(keys.length > 15, `${keys}`);
  assert.deepEqual(
    keys.filter((key) => !(key in CONFIG_KEYS)),
    [],
  );
});
