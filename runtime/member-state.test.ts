import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOrders, decodeState, encodeOrders, encodeState } from './member-state.ts';

test('what members tell and are told comes back as it was', () => {
  const stores = new Map([
    ['a_0', { at: 5, end: 7, live: true }],
    ['b_1', { at: 3, end: 3, live: false }],
  ]);
  for (const rack of [undefined, 'zone "1"']) {
    const state = { plan: 'p', instance: rack && 'one', rack, disk: true, stores };
    assert.deepEqual(decodeState(encodeState(state)), state);
  }
  const orders = { plan: 'p', standbys: ['a_0'], warmups: ['b_1'], places: new Map([['a_0', 'one']]) };
  assert.deepEqual(decodeOrders(encodeOrders(orders)), orders);
});

test('another version is not read', () => {
  for (const text of ['', 'abc', 'null', '[]', '{"format":2,"plan":"p","disk":true,"stores":[]}']) {
    assert.equal(decodeState(text), undefined);
    assert.deepEqual(decodeOrders(text), { plan: '', standbys: [], warmups: [], places: new Map() });
  }
});
