import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import { readVectors } from './vector.ts';

/** What may differ where streams are joined, be it by itself or behind changed keys. */
const ALLOWED = ['late-at-join', 'null-keys-at-repartition'];

for (const vector of readVectors(new URL('./kstreams-joins.json', import.meta.url)).vectors) {
  test(`${vector.id}: ${vector.area}`, async () => {
    const { kind, fault, differences } = await judge(vector);
    assert.ok(kind === 'passed' || kind === 'intended', fault);
    assert.deepEqual(
      differences.filter((name) => !ALLOWED.includes(name)),
      [],
    );
  });
}
