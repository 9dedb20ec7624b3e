import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { memoryHost, runDocument } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';

const SHARES = documentOf(
  [
    ['items', 'map.items', { items: 'input' }],
    ['shares', 'op.map', { value: 'value.list[value.at]' }],
    ['all', 'collect'],
  ],
  ['items > shares', 'shares > all'],
);

/** The node takes what it cannot judge out, and goes on. */
const KEEPS = {
  ...SHARES,
  nodes: SHARES.nodes.map((node) =>
    node.id === 'shares' ? { ...node, data: { ...node.data, policy: { onError: 'dead-letter' as const } } } : node,
  ),
};

// one of them has no such place in its list
const ITEMS: Json = Array.from({ length: 50 }, (_, n) => ({ list: [n], at: n === 17 ? 5 : 0 }));

test('S2.2.d: a record that cannot be judged becomes a dead letter, and the others go on', {
  timeout: 20_000,
}, async () => {
  const host = memoryHost();
  const { how, outputs, figures } = await runDocument(host, KEEPS, { input: ITEMS });
  assert.equal(how, 'complete');
  assert.deepEqual(
    outputs['all.out'],
    Array.from({ length: 50 }, (_, n) => n).filter((n) => n !== 17),
  );
  assert.equal(figures.nodes['shares']!.deadLetters, 1);
  const letters: string[] = [];
  const topic = (await host.log.admin.list()).find((name) => name.endsWith('.dead-letters'))!;
  const { partitions } = (await host.log.admin.describe(topic))!.settings;
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(host.log, topic, partition, (batch, i) => {
      letters.push(batch.bytes.toString('utf8', batch.valueStarts[i]!, batch.valueEnds[i]!));
    });
  }
  assert.equal(letters.length, 1);
  assert.match(letters[0]!, /17/);
  await host.log.close();
});

test('without that policy it fails the segment', { timeout: 20_000 }, async () => {
  const host = memoryHost();
  await assert.rejects(runDocument(host, SHARES, { input: ITEMS }), {
    code: 'record.failed',
    message: /there is no item 5/,
  });
  await host.log.close();
});
