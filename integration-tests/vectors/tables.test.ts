import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import { readVectors } from './vector.ts';

/** More of what Kafka Streams answered, on random topologies of tables. */
const { vectors } = readVectors(new URL('./tables.json', import.meta.url));

for (const vector of vectors) {
  test(`${vector.id}: ${vector.topology.map(({ op }) => op).join(' ')}`, async () => {
    const verdict = await judge(vector);
    assert.equal(verdict.kind, 'passed', verdict.fault);
  });
}
