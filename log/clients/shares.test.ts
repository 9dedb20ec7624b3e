import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { deal, decodeShare, decodeSubscription, encodeShare, encodeSubscription, shareOf } from './shares.ts';

const subscriber = (member: string, ...owned: string[]) => ({ member, owned, metadata: '', round: 0 });

test('where nobody loses a task, the round is final', () => {
  const plan = new Map([
    ['a', { tasks: ['1', '2'], metadata: 'a note' }],
    ['b', { tasks: ['3'], metadata: '' }],
  ]);
  const shares = deal([subscriber('a', '1'), subscriber('b')], plan, 4);
  assert.deepEqual(shares.get('a'), { generation: 4, final: true, tasks: ['1', '2'], metadata: 'a note', revoke: [] });
  assert.deepEqual(shares.get('b'), { generation: 4, final: true, tasks: ['3'], metadata: '', revoke: [] });
});

test('where one loses tasks, they are asked for and nobody gets anything yet', () => {
  const plan = new Map([
    ['a', { tasks: ['1'], metadata: 'later' }],
    ['b', { tasks: ['2', '3'], metadata: '' }],
  ]);
  const shares = deal([subscriber('a', '1', '2'), subscriber('b')], plan, 5);
  assert.deepEqual(shares.get('a'), { generation: 5, final: false, tasks: [], metadata: '', revoke: ['2'] });
  assert.deepEqual(shares.get('b'), { generation: 5, final: false, tasks: [], metadata: '', revoke: [] });
  assert.ok(deal([subscriber('a', '1'), subscriber('b')], plan, 6).get('b')!.final);
});

test('a member that the plan leaves out gives up everything', () => {
  const shares = deal([subscriber('a', '1')], new Map(), 1);
  assert.deepEqual(shares.get('a')?.revoke, ['1']);
  assert.deepEqual(deal([subscriber('a')], new Map(), 2).get('a')?.tasks, []);
});

test('subscriptions and shares come back as they were; another format is refused in words', () => {
  const subscription = { metadata: 'ü', owned: ['1'], round: 3 };
  assert.deepEqual({ ...decodeSubscription(encodeSubscription(subscription), 'g') }, { format: 1, ...subscription });
  const share = { generation: 7, final: true, tasks: ['1'], metadata: 'm', revoke: [] };
  assert.deepEqual({ ...decodeShare(encodeShare(share), 'g') }, { format: 1, ...share });
  assert.equal(shareOf(encodeShare(share))?.generation, 7);
  assert.equal(shareOf(Buffer.of(0, 1)), undefined);
  for (const odd of ['{"format":2}', '', 'null', '{}'])
    assert.throws(
      () => decodeShare(Buffer.from(odd), 'g'),
      (thrown) => isFlowError(thrown, 'log.format') && /group g/.test(thrown.message),
    );
});
