import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSpec } from '../document.ts';
import { ADD, BREAK, SECOND, SessionDriver, using, WAIT } from './testing/session-driver.ts';

const child = (id: string, workflow: string): NodeSpec => ({
  ...{ id, type: 'workflow' },
  data: { config: { workflow, input: '= input' } },
});
const adding = using('adding', [ADD, WAIT], [['add', 'wait']]);
const around = using(
  'around',
  [{ ...ADD, id: 'before' }, child('within', 'between'), WAIT],
  [
    ['before', 'within'],
    ['within', 'wait'],
  ],
);
const { session: _, ...between } = using('between', [child('inner', 'adding')]);
const item = (name: string) => ({ user: 'ann', item: name });

test('executions that nodes start share the hold of who started them, and what they write is its own', async () => {
  const driver = await SessionDriver.open(adding, around, between);
  driver.start('one', 'around', item('one'));
  driver.start('two', 'adding', item('two'));
  assert.deepEqual(driver.held('one/within')?.holder, 'one');
  assert.deepEqual(driver.held('one/within/inner')?.values, { items: ['one'], visits: 1 });
  driver.go('one/within/inner');
  assert.equal(driver.state('one/within'), 'COMPLETED');
  assert.equal(driver.state('two'), 'waits');
  assert.deepEqual(driver.session('cart', 'ann')?.values, {});
  driver.go('one');
  assert.deepEqual(driver.held('two')?.values, { items: ['one', 'one'], visits: 2 });
  driver.go('two');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one', 'one', 'two'], visits: 3 });
});

test('a hold lasts until all that share it have ended, though who had it has', async () => {
  const cleaning: NodeSpec[] = [
    { id: 'guard', type: 'try', data: { config: { finally: ['clean'] } } },
    { id: 'work', type: 'wait.signal', parentId: 'guard', data: { config: { name: 'go' } } },
    { id: 'clean', type: 'delay', parentId: 'guard', data: { config: { for: '3s' } } },
  ];
  const failing: NodeSpec = { id: 'late', type: 'wait.signal', data: { config: { name: 'go' } } };
  const beside = using('beside', [child('slow', 'cleaning'), failing, BREAK], [['late', 'break']]);
  const driver = await SessionDriver.open(adding, beside, using('cleaning', cleaning));
  driver.start('one', 'beside', item('one'));
  driver.start('two', 'adding', item('two'));
  driver.go('one');
  assert.equal(driver.end('one')?.status, 'FAILED');
  driver.advance(3 * SECOND - 1);
  assert.deepEqual([driver.state('one/slow'), driver.state('two')], ['runs', 'waits'], 'it still cleans up');
  driver.advance(1);
  assert.deepEqual([driver.state('one/slow'), driver.state('two')], ['CANCELLED', 'runs']);
  assert.deepEqual([...driver.rows().range('\0H', '\0I')], []);
});

test('executions that no hold is above wait for each other, whoever has started them', async () => {
  const { session: _none, ...parallel } = using('parallel', [child('left', 'adding'), child('right', 'adding')]);
  const driver = await SessionDriver.open(adding, parallel);
  driver.start('one', 'parallel', item('x'));
  assert.deepEqual([driver.state('one/left'), driver.state('one/right')], ['runs', 'waits']);
  driver.go('one/left');
  assert.equal(driver.state('one/right'), 'runs');
  driver.go('one/right');
  assert.equal(driver.end('one')?.status, 'COMPLETED');
  assert.equal(driver.session('cart', 'ann')?.values['visits'], 2);
});

test('within a hold there is no other session, no other id, and no key more', async () => {
  const other = using('other', [WAIT], [], { name: 'basket' });
  const elsewhere = using('elsewhere', [WAIT], [], { id: '= input.user + "s"' });
  const more = using('more', [WAIT], [], { keys: { items: {}, coupon: {} } });
  const parents = ['other', 'elsewhere', 'more', 'unknown'].map((each) => using(`in-${each}`, [child('x', each)]));
  const driver = await SessionDriver.open(other, elsewhere, more, ...parents);
  for (const [workflow, code] of [
    ['other', 'workflow.session-within'],
    ['elsewhere', 'workflow.session-within'],
    ['more', 'workflow.session-key'],
    ['unknown', 'workflow.unknown-definition'],
  ]) {
    driver.start(workflow!, `in-${workflow}`, item('x'));
    assert.equal(driver.state(workflow!), `FAILED ${code}`);
    assert.equal(driver.session('cart', 'ann'), undefined, `${workflow} has let it go`);
  }
  assert.deepEqual([...driver.rows().range('\0H', '\0L')], []);
});

test('what was started and fails has written nothing, though who started it goes on', async () => {
  const inner = using('inner', [ADD, BREAK], [['add', 'break']]);
  const tries: NodeSpec[] = [
    { id: 'guard', type: 'try' },
    { ...child('x', 'inner'), parentId: 'guard' },
  ];
  const caught = { id: 'else', type: 'expression', parentId: 'guard', data: { config: { value: 0 } } };
  const [guard, x] = tries;
  const outer = using('outer', [
    { ...guard!, data: { config: { catch: ['else'] } } },
    x!,
    caught,
    { ...ADD, id: 'own' },
  ]);
  const driver = await SessionDriver.open(inner, outer);
  driver.start('one', 'outer', item('one'));
  assert.equal(driver.state('one/x@0'), 'FAILED expression.failed');
  assert.equal(driver.state('one'), 'COMPLETED');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one'], visits: 1 });
});
