import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADD, BREAK, SECOND, SessionDriver, using, WAIT } from './testing/session-driver.ts';

const adding = using('adding', [ADD, WAIT], [['add', 'wait']]);
const failing = using('failing', [ADD, BREAK], [['add', 'break']]);
const item = (name: string) => ({ user: 'ann', item: name });

test('S9.1.c: executions of a session hold it one after the other, and find what the one before has written', async () => {
  const driver = await SessionDriver.open(adding);
  for (const each of ['one', 'two', 'three']) driver.start(each, 'adding', item(each));
  driver.start('other', 'adding', { user: 'bob', item: 'other' });
  assert.deepEqual(
    ['one', 'two', 'three', 'other'].map((each) => driver.state(each)),
    ['runs', 'waits', 'waits', 'runs'],
  );
  const { holder, waiting, values } = driver.session('cart', 'ann')!;
  assert.deepEqual([holder?.execution, waiting, values], ['one', 2, {}], 'what is written stands when it is completed');
  driver.go('one');
  assert.equal(driver.state('one'), 'COMPLETED');
  assert.deepEqual(driver.held('two')?.values, { items: ['one'], visits: 1 });
  assert.equal(driver.state('three'), 'waits');
  driver.go('two');
  driver.go('three');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one', 'two', 'three'], visits: 3 });
  assert.equal(driver.session('cart', 'ann')?.holder, null);
});

test('what fails, or is cancelled, has written nothing', async () => {
  const driver = await SessionDriver.open(adding, failing);
  driver.start('one', 'failing', item('one'));
  driver.start('two', 'adding', item('two'));
  driver.start('three', 'adding', item('three'));
  assert.equal(driver.end('one')?.status, 'FAILED');
  driver.cancel('two');
  assert.equal(driver.state('two'), 'CANCELLED');
  driver.go('three');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['three'], visits: 1 });
});

test('S9.1.c: a session expires at the very millisecond behind its last use', async () => {
  const driver = await SessionDriver.open(adding);
  driver.start('one', 'adding', item('one'));
  driver.advance(60 * SECOND);
  assert.equal(driver.session('cart', 'ann')?.expiresAt, null, 'while it is held it lasts');
  driver.go('one');
  const ends = driver.now + 10 * SECOND;
  assert.equal(driver.session('cart', 'ann')?.expiresAt, ends);
  driver.advance(10 * SECOND - 1);
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one'], visits: 1 });
  driver.advance(1);
  assert.equal(driver.session('cart', 'ann'), undefined);
  const expired = driver.of('session:cart:ann').at(-1)!;
  assert.deepEqual([expired.at, expired.events[0]], [ends, { type: 'session-emptied', why: 'expired', by: null }]);
  assert.equal([...driver.rows().range('\0K', '\0L')].length + driver.timers, 0, 'nothing of it is left');
});

test('a use before the end keeps it, one after it finds nothing, though nothing ran in between', async () => {
  const driver = await SessionDriver.open(adding);
  const use = (execution: string) => {
    driver.start(execution, 'adding', item(execution));
    driver.go(execution);
  };
  use('one');
  driver.advance(10 * SECOND - 1);
  use('two');
  driver.advance(10 * SECOND - 1);
  await driver.restart();
  use('three');
  assert.deepEqual(driver.held('three')?.values, { items: ['one', 'two'], visits: 2 });
  await driver.restart();
  driver.advance(3600 * SECOND);
  use('four');
  assert.deepEqual(driver.held('four')?.values, {});
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['four'], visits: 1 });
});

test('the longest of what workflows declare holds, and each sees its own keys', async () => {
  const keys = { items: {}, coupon: {} };
  const node = {
    ...{ id: 'give', type: 'expression' },
    data: {
      config: { value: '= session.?items' },
      session: { read: ['items'], write: { coupon: '= "ten"' } },
    },
  };
  const giving = using('giving', [node], [], { ttl: '1s', keys });
  const driver = await SessionDriver.open(adding, giving);
  driver.start('one', 'adding', item('one'));
  driver.go('one');
  driver.advance(SECOND);
  driver.start('two', 'giving', item('two'));
  assert.deepEqual(driver.end('two')?.output, { give: ['one'] });
  assert.deepEqual(driver.held('two')?.values, { items: ['one'] });
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one'], visits: 1, coupon: 'ten' });
  driver.advance(9 * SECOND - 1);
  driver.start('three', 'adding', item('three'));
  assert.deepEqual(driver.held('three')?.values, { items: ['one'], visits: 1 }, 'no coupon');
});

test('one that waits can be cancelled, has a deadline, and can be paused', async () => {
  const driver = await SessionDriver.open(adding);
  driver.start('one', 'adding', item('one'));
  driver.start('two', 'adding', item('two'));
  driver.start('three', 'adding', item('three'), { deadline: driver.now + SECOND });
  driver.start('four', 'adding', item('four'));
  driver.cancel('two');
  driver.tell('four', { type: 'pause' });
  driver.tell('four', { type: 'intervene', node: 'add', iteration: '', action: 'output', value: [] });
  assert.equal(driver.state('two'), 'CANCELLED');
  driver.advance(SECOND);
  assert.equal(driver.state('three'), 'FAILED workflow.deadline');
  assert.equal(driver.session('cart', 'ann')?.waiting, 1);
  driver.go('one');
  const begun = () => driver.of('four').some(({ events }) => events.some(({ type }) => type === 'output'));
  assert.deepEqual([driver.state('four'), begun()], ['runs', false], 'its turn comes, and nothing begins');
  driver.tell('four', { type: 'resume' });
  driver.go('four');
  assert.equal(driver.state('four'), 'COMPLETED');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['one', 'four'], visits: 2 });
});

test('a session that is cleared is empty at once, and what its holder writes is dropped', async () => {
  const driver = await SessionDriver.open(adding);
  driver.start('one', 'adding', item('one'));
  driver.go('one');
  driver.start('two', 'adding', item('two'));
  driver.start('three', 'adding', item('three'));
  driver.clear('cart', 'ann');
  assert.deepEqual(driver.session('cart', 'ann')?.values, {});
  driver.go('two');
  assert.deepEqual(driver.held('three')?.values, {});
  driver.go('three');
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['three'], visits: 1 });
  driver.clear('cart', 'ann');
  driver.clear('cart', 'ann');
  assert.equal(driver.session('cart', 'ann'), undefined);
  assert.equal(driver.timers, 0);
});

test('its state at any time is the fold of its step records', async () => {
  const driver = await SessionDriver.open(adding);
  driver.start('one', 'adding', item('one'));
  const first = driver.now;
  driver.advance(SECOND);
  driver.go('one');
  const second = driver.now;
  driver.advance(20 * SECOND);
  driver.start('two', 'adding', item('two'));
  const { now } = driver;
  assert.deepEqual(driver.sessionAt('cart', 'ann', now), driver.session('cart', 'ann'));
  assert.deepEqual(driver.sessionAt('cart', 'ann', now)?.holder, { execution: 'two', since: now });
  assert.equal(driver.sessionAt('cart', 'ann', first - 1), undefined);
  assert.deepEqual(driver.sessionAt('cart', 'ann', first)?.holder, { execution: 'one', since: first });
  const values = (at: number) => driver.sessionAt('cart', 'ann', at)?.values;
  assert.deepEqual(values(second), { items: ['one'], visits: 1 });
  assert.deepEqual(values(second + 10 * SECOND - 1), { items: ['one'], visits: 1 });
  assert.equal(values(second + 10 * SECOND), undefined);
});

test('what cannot be the id of a session, or a value of it, is refused in words', async () => {
  const large = { ...ADD, data: { ...ADD.data, config: { value: '= [input.item]' } } };
  const texts = using('texts', [WAIT], [], { keys: { items: { schema: { type: 'string' } } } });
  const driver = await SessionDriver.open(using('adding', [large]), texts);
  const error = (execution: string) => driver.end(execution)?.error;
  driver.start('none', 'adding', { item: 'a' });
  driver.start('number', 'adding', { user: 7, item: 'a' });
  driver.start('empty', 'adding', { user: '', item: 'a' });
  driver.start('large', 'adding', item('x'.repeat(20_000)));
  driver.start('misfit', 'adding', { user: 'ann', item: 7 });
  assert.equal(driver.state('none'), 'FAILED expression.failed');
  assert.equal(driver.state('number'), 'FAILED workflow.session-id');
  assert.equal(driver.state('empty'), 'FAILED workflow.session-id');
  assert.match(error('large')!.message, /add writes at items of the session has 20004 bytes, more than 16384: keep it/);
  assert.match(error('misfit')!.message, /add writes at items of the session does not fit its schema: \/0 must be str/);
  driver.start('list', 'adding', item('a'));
  driver.start('text', 'texts', item('a'));
  assert.equal(driver.state('text'), 'FAILED workflow.session-value');
  assert.match(error('text')!.message, /holds at items what does not fit the schema of this workflow/);
  assert.equal(driver.session('cart', 'ann')?.holder, null, 'it is free all the same');
});

test('what is pinned writes as what has run', async () => {
  const driver = await SessionDriver.open(using('adding', [ADD]));
  driver.start('one', 'adding', item('one'), { pins: { add: ['pinned'] } });
  assert.deepEqual(driver.session('cart', 'ann')?.values, { items: ['pinned'], visits: 1 });
});
