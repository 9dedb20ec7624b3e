import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import { readVectors } from './vector.ts';

/** Beside those of `kstreams.json`: graces of zero, results in the last moment of a window, long retention, jumps. */
const { vectors } = readVectors(new URL('./windows.json', import.meta.url));

for (const vector of vectors) {
  test(`${vector.id}: ${vector.area}`, async () => {
    const verdict = await judge(vector);
    const expected = vector.topology.some(({ emit }) => emit === 'close') ? ['passed', 'intended'] : ['passed'];
    assert.ok(expected.includes(verdict.kind), verdict.fault ?? verdict.kind);
  });
}
