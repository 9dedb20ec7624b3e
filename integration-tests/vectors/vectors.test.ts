import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { judgeDerived } from './derived.ts';
import { judge, type Verdict } from './judge.ts';
import { report } from './report.ts';
import { readVectors, type Vector } from './vector.ts';

const { vectors, derived } = readVectors(new URL('./kstreams.json', import.meta.url));
const verdicts = new Map<string, Verdict>();

/** More would say that the engine is another one. */
const MOST_INTENDED = 12;

for (const vector of vectors) {
  test(`${vector.id}: ${vector.area}`, async () => {
    const verdict = await judge(vector);
    verdicts.set(vector.id, verdict);
    assert.notEqual(verdict.kind, 'failed', verdict.fault);
    assert.notEqual(verdict.kind, 'missing', verdict.fault);
  });
}

for (const vector of derived) {
  test(`${vector.id}: ${vector.area}`, async () => {
    const verdict = await judgeDerived(vector);
    verdicts.set(vector.id, verdict);
    assert.notEqual(verdict.kind, 'failed', verdict.fault);
    assert.notEqual(verdict.kind, 'missing', verdict.fault);
  });
}

test('intended differences are few, and each is told with its vectors', () => {
  const intended = [...verdicts].filter(([, { kind }]) => kind === 'intended');
  assert.ok(intended.length <= MOST_INTENDED, `${intended.length} vectors differ`);
  const document = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');
  for (const [id, { differences }] of intended) {
    for (const difference of differences) {
      const [, section = ''] = document.split(`### ${difference}\n`);
      assert.ok(section.split('\n### ')[0]!.includes(`\`${id}\``), `${id} is told under ${difference}`);
    }
  }
});

const echo: Vector = {
  id: 'echo',
  area: 'made',
  topology: [
    { op: 'stream', id: 'S', topic: 'S' },
    { op: 'to', from: 'S', topic: 'O' },
  ],
  steps: [{ in: 'S', k: 'k', v: 'a', ts: 1, out: [{ k: 'k', v: 'a', ts: 1 }] }],
};

async function linesOf(
  ...made: readonly Vector[]
): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }> {
  return report({ format: '', vectors: made, derived: [] });
}

test('a vector that differs in anything fails, with what was expected and what was found', async () => {
  const step = echo.steps![0]!;
  const wrong: readonly Partial<Vector>[] = [
    { steps: [{ ...step, out: [{ k: 'k', v: 'b', ts: 1 }] }] },
    { steps: [{ ...step, out: [{ k: 'k', v: 'a', ts: 2 }] }] },
    { steps: [{ ...step, out: [] }] },
    { steps: [{ ...step, out: [...step.out!, ...step.out!] }] },
    { steps: [{ ...step, out: [{ k: 'k', v: 'a', ts: 1, h: 'x' }] }] },
    { steps: [{ ...step, dropped: 1 }] },
    { steps: [{ ...step, error: 'StreamsException' }] },
    { error: { at: 'build' }, steps: [] },
    { expectTopology: { subtopologies: 2, internalTopics: [], stores: [] } },
    { expectTopology: { subtopologies: 1, internalTopics: ['A-repartition'], stores: [] } },
  ];
  assert.deepEqual(await linesOf(echo), { ok: true, lines: ['made: 1 passed', 'all: 1 passed'] });
  for (const each of wrong) {
    const { ok, lines } = await linesOf({ ...echo, ...each });
    assert.equal(ok, false, JSON.stringify(each));
    assert.match(lines[0]!, /^failed: echo: .*expected/);
    assert.equal(lines.at(-1), 'all: 0 passed, 1 failed');
  }
});

test('a join by foreign key is two subtopologies, with two topics and a store of its own between them', async () => {
  const vector: Vector = {
    id: 'foreign',
    area: 'made',
    topology: [
      { op: 'table', id: 'L', topic: 'L' },
      { op: 'table', id: 'R', topic: 'R' },
      { op: 'joinFK', id: 'X', from: 'L', with: 'R', type: 'inner', fkFn: 'prefix' },
      { op: 'to', from: 'X', topic: 'O' },
    ],
    expectTopology: {
      subtopologies: 2,
      internalTopics: [
        'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000004-topic',
        'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000012-topic',
      ],
      stores: [
        'L-STATE-STORE-0000000000',
        'R-STATE-STORE-0000000002',
        'KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000008',
      ],
    },
  };
  assert.deepEqual(await linesOf(vector), { ok: true, lines: ['made: 1 passed', 'all: 1 passed'] });
});

test('a set is compared in any order, and nothing else is', async () => {
  const first = { k: 'k', v: 'a1', ts: 1 };
  const second = { k: 'k', v: 'a2', ts: 1 };
  const topology = [
    { op: 'stream', id: 'S', topic: 'S' },
    { op: 'mapValues', id: 'a', from: 'S', fn: 'append:1' },
    { op: 'to', from: 'a', topic: 'O' },
    { op: 'mapValues', id: 'b', from: 'S', fn: 'append:2' },
    { op: 'to', from: 'b', topic: 'O' },
  ];
  const step = { in: 'S', k: 'k', v: 'a', ts: 1 };
  const run = (steps: readonly object[]) => linesOf({ ...echo, topology, steps: steps as Vector['steps'] & object });
  assert.equal((await run([{ ...step, out: [first, second] }])).ok, true);
  assert.equal((await run([{ ...step, out: [second, first] }])).ok, false);
  assert.equal((await run([{ ...step, set: true, out: [second, first] }])).ok, true);
  assert.equal((await run([{ ...step, set: true, out: [second, second] }])).ok, false);
  for (const said of [{ unordered: true }, { ordered: false }, { order: 'any' }, { outputsAreASet: true }]) {
    assert.equal((await run([{ ...step, ...said, out: [second, first] }])).ok, true, JSON.stringify(said));
  }
});
