import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { string } from '../schemas/schemas.ts';
import { historyOf, type NodeOf } from '../topology/plan.ts';
import type { OperatorContext } from './operators.ts';
import { OwnClock } from './own-clock.ts';
import { Rec } from './record.ts';
import { createNaiveTable } from './testing/naive-table.ts';
import { TestNumber } from './testing/test-parts.ts';
import { createVersionedTable } from './versioned-table.ts';

const HISTORY = 20;

/** A versioned table on its own; `seen` is what it passes on, and whether as the latest. */
function versionedTable() {
  const step = new Step();
  const tables = [
    createNaiveTable({ name: 'rows', windowed: false, ordered: false }, step),
    createNaiveTable({ name: historyOf('rows'), windowed: true, ordered: true }, step),
  ];
  const number = new TestNumber(step, -1);
  const dropped: string[] = [];
  const context = {
    step,
    wantsOld: false,
    table: (name: string) => tables.find((table) => table.name === name)!,
    storeSerdes: () => ({ kind: 'versioned', key: string(), value: string(), retentionMs: HISTORY }),
    storeClock: () => new OwnClock(number),
    drop: (reason: string) => dropped.push(reason),
  } as unknown as OperatorContext;
  const node = { id: 'table:rows', key: 'string', store: 'rows' } as NodeOf<'table'>;
  const seen: [unknown, boolean][] = [];
  const operator = createVersionedTable(node, context, (out) => seen.push([out.value, out.latest]));
  const record = new Rec();
  function put(key: string | null, timestamp: number): void {
    step.begin();
    record.timestamp = timestamp;
    record.setKey(key);
    record.setValue(`${key}${timestamp}`);
    operator.inputs[0]!(record);
    step.settle();
  }
  return { put, seen, dropped, record, tables };
}

test('an update that came behind a newer one of its key is marked, and the record is as it was', () => {
  const { put, seen, dropped, record } = versionedTable();
  put('a', 30);
  put('a', 25);
  put('b', 25);
  put('a', 30);
  put('a', 9);
  assert.deepEqual(seen, [
    ['a30', true],
    ['a25', false],
    ['b25', true],
    ['a30', true],
  ]);
  assert.deepEqual(dropped, ['late']);
  assert.equal(record.latest, true);
});

test('a record without a key is dropped, and moves no clock', () => {
  const { put, seen, dropped } = versionedTable();
  put(null, 100);
  put('a', 79);
  assert.deepEqual(dropped, ['null-key']);
  assert.deepEqual(seen, [['a79', true]]);
});

test('versions are forgotten by panes, and the newest never', () => {
  const { put, tables } = versionedTable();
  const [newest, history] = tables;
  for (let at = 0; at < 100_000; at += 500) put('a', at);
  assert.ok(history!.panes().length <= 3, `${history!.panes().length} panes`);
  put('b', 200_000);
  assert.deepEqual(history!.panes(), []);
  const key = Buffer.from('a');
  assert.equal(newest!.find(0, key, 0, key.length), true);
});
