import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, string } from '../schemas/schemas.ts';
import { checkTopics, type TopicFacts, topic, topology, tumbling } from './topology.ts';

const value = json<{ at: string }>();
const t = topology('deployed');
const input = topic('input', { key: string(), value, partitions: 4 });
const rows = topic('rows', { key: string(), value, partitions: 4 });
t.stream(input)
  .joinTable(t.table(rows, { store: 'rows' }), { merge: (row) => row })
  .groupBy((row) => row.at, { name: 'by-place', key: string(), value, partitions: 2 })
  .window(tumbling({ hours: 1 }, { grace: { minutes: 1 } }))
  .count({ store: 'per-hour' });
t.stream(input)
  .groupByKey()
  .window(tumbling({ hours: 2 }))
  .count({ store: 'per-two' });
const { plan } = t.build();
const internal = 'nf.deployed.by-place.repartition';

const told = (facts: { readonly [topic: string]: TopicFacts }) => {
  const { faults, warnings } = checkTopics(plan, new Map(Object.entries(facts)));
  return { faults: faults.map((each) => each.message), warnings: warnings.map((each) => each.message) };
};

test('topics as the plan says are fine; those it writes may be missing', () => {
  const four = { partitions: 4 };
  assert.deepEqual(told({ input: four, rows: { ...four, cleanup: 'compact' } }), { faults: [], warnings: [] });
  const kept = { partitions: 2, cleanup: 'none', retentionMs: -1 } as const;
  assert.deepEqual(told({ input: four, rows: four, [internal]: kept }), { faults: [], warnings: [] });
});

test('everything that is missing or has another count is told at once', () => {
  assert.deepEqual(told({ rows: { partitions: 3 } }).faults, [
    'topic input does not exist; create it with 4 partitions (nodeflow topics create input --partitions 4), or correct its name in the topology',
    'topic rows has 3 partitions where the plan says 4; change the topology, or write the records to a new topic of 4',
  ]);
});

test('hard place 8: settings that lose records', () => {
  const four = { partitions: 4 };
  const internalBad = told({ input: four, rows: four, [internal]: { partitions: 2, retentionMs: 1000 } });
  assert.match(internalBad.faults.join(), /deletes records after 1000 ms, read or not; set its retention to -1/);
  const compacted = told({ input: four, rows: four, [internal]: { partitions: 2, cleanup: 'compact' } });
  assert.match(compacted.faults.join(), /is compacted/);
  const short = told({ input: { partitions: 4, retentionMs: 7_199_999 }, rows: { partitions: 4, retentionMs: 5 } });
  assert.deepEqual(short.faults, []);
  assert.match(short.warnings[0]!, /topic input deletes records after 7199999 ms, sooner .* at least 7200000/);
  assert.match(short.warnings[1]!, /topic rows feeds a table and deletes records after 5 ms/);
  assert.deepEqual(told({ input: { partitions: 4, retentionMs: 7_200_000 }, rows: four }).warnings, []);
});
