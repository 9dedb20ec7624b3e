import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { readHeaders } from '../../log/batch.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { memoryHost, runDocument, taskOf } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import { failedNode } from './named-failure.ts';
import { forgetSegment, SEGMENT_DEAD_LETTERS } from './run-segment.ts';

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
  timeout: 240_000,
}, async () => {
  const host = memoryHost();
  const { how, outputs, figures } = await runDocument(host, KEEPS, { input: ITEMS, dedicated: true });
  assert.equal(how, 'complete');
  assert.deepEqual(
    outputs['all.out'],
    Array.from({ length: 50 }, (_, n) => n).filter((n) => n !== 17),
  );
  assert.equal(figures.nodes['shares']!.deadLetters, 1);
  const letters: string[] = [];
  const headers: { readonly [name: string]: string }[] = [];
  // they are there still when the run is forgotten
  const { name } = taskOf(KEEPS);
  await forgetSegment(host, name);
  await eachRecord(host.log, SEGMENT_DEAD_LETTERS, 0, (batch, i) => {
    letters.push(batch.bytes.toString('utf8', batch.valueStarts[i]!, batch.valueEnds[i]!));
    const list = readHeaders(batch.bytes, batch.headerStarts[i]!, batch.bodyEnds[i]!);
    headers.push(Object.fromEntries(list.map(({ name, value }) => [name, String(value)] as const)));
  });
  assert.equal(letters.length, 1);
  assert.match(letters[0]!, /17/);
  assert.equal(headers[0]!['nf.application'], name);
  assert.deepEqual([headers[0]!['nf.owner'], headers[0]!['nf.node']], ['shares', 'mapValues:items:1']);
  await host.log.close();
});

test('without that policy it fails the segment, and names the node of the document', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  await assert.rejects(runDocument(host, SHARES, { input: ITEMS }), (thrown) => {
    assert.ok(isFlowError(thrown, 'record.failed'));
    assert.match(
      thrown.message,
      /^node shares failed on the record at .* position 17 \(mapValues:items:1 of its plan\): .*there is no item 5/,
    );
    assert.equal(failedNode(thrown), 1);
    return true;
  });
  await host.log.close();
});

test('what fails on the result of a closed window names the nodes that it may have been', {
  timeout: 240_000,
}, async () => {
  const host = memoryHost();
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input', time: 'value.at' }],
      ['by', 'op.select-key', { key: 'value.by' }],
      ['spans', 'op.window.tumbling', { size: '1s' }],
      ['lists', 'op.aggregate', { function: 'count' }],
      ['late', 'op.map', { value: '[1][value]' }],
      ['all', 'collect'],
    ],
    ['items > by', 'by > spans', 'spans > lists', 'lists > late', 'late > all'],
  );
  const input = [0, 5000].map((at) => ({ by: 'a', at }));
  await assert.rejects(runDocument(host, document, { input }), {
    code: 'record.failed',
    message: /^one of the nodes .*lists.*late.* failed on the result of a closed window: .*; correct it/,
  });
  await host.log.close();
});
