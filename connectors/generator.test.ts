import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { generator, type Source } from './connectors.ts';

async function all<T>(source: Source<T>, from = 0, max = 3): Promise<T[][]> {
  const lists: T[][] = [];
  for (const split of await source.splits()) {
    const reader = await source.open(split, from);
    const list: T[] = [];
    for (let batch = await reader.next(max); batch !== undefined; batch = await reader.next(max)) {
      for (let i = 0; i < batch.count; i++) list.push(batch.at(i));
      assert.equal(batch.positionAfter(batch.count - 1), from + list.length);
    }
    lists.push(list);
  }
  return lists;
}

test('makes records by index, from any position, in any number of splits', async () => {
  const make = (index: number) => index * 10;
  assert.deepStrictEqual(await all(generator({ count: 7, make })), [[0, 10, 20, 30, 40, 50, 60]]);
  assert.deepStrictEqual(await all(generator({ count: 7, make }), 5), [[50, 60]]);
  assert.deepStrictEqual(await all(generator({ count: 7, make, splits: 3 })), [
    [0, 10],
    [20, 30],
    [40, 50, 60],
  ]);
  assert.deepStrictEqual(await all(generator({ count: 0, make })), [[]]);
  const [split] = await generator({ count: 7, make, splits: 2 }).splits();
  assert.equal(split!.records, 3);
});

test('refuses counts that are none', () => {
  const refused = (thrown: Error) => isFlowError(thrown, 'config.invalid');
  assert.throws(() => generator({ count: -1, make: () => 1 }), refused);
  assert.throws(() => generator({ count: 1.5, make: () => 1 }), refused);
  assert.throws(() => generator({ count: 1, make: () => 1, splits: 0 }), refused);
});
