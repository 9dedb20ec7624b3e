import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idsForRecords, isForRecord } from './execution-ids.ts';

test('an id says whether it is of an execution for a record', () => {
  for (const first of ['x', 'x/sub', 'n@2026-01-01T00:00:00Z']) {
    for (const iteration of ['', '2', '2.3']) {
      const id = `${idsForRecords(first, 'each', iteration)}0-17`;
      assert.ok(isForRecord(id), id);
      assert.ok(!isForRecord(`${id}/sub`), 'what it has started itself');
    }
  }
  for (const other of ['x', 'a~b', 'x/~2', 'x/sub', 'x/sub@2#3', 'x/~2/sub']) assert.ok(!isForRecord(other), other);
});
