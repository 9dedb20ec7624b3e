import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { json, string } from '../../schemas/schemas.ts';
import type { WorkflowDocument } from '../document.ts';
import { memoryHost, runDocument } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import { type OneRecord, putRecords } from './put-record.ts';

/** Batch, realtime and streaming are policies of one plan: the same document gives the same result in all of them. */
const ORDERS = { name: 'orders', partitions: 1, key: string(), value: json() };
const SEED = 20_260_728;

type Step = readonly [type: string, config: Record<string, Json>];

interface Case {
  readonly steps: readonly Step[];
  readonly aggregate: readonly Step[];
  readonly records: readonly OneRecord[];
  readonly cut: number;
  readonly savepoint: boolean;
}

const perRecord: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map((least): Step => ['op.filter', { where: `value.n >= ${least}` }]),
  fc.integer({ min: 2, max: 4 }).map((by): Step => ['op.filter', { where: `value.n % ${by} != 0` }]),
  fc.integer({ min: 1, max: 3 }).map((by): Step => ['op.map', { value: `{'n': value.n + ${by}, 'who': value.who}` }]),
  fc.constant<Step>(['op.map', { value: "{'n': value.n, 'who': value.who == null ? key : value.who + '!'}" }]),
);

const window: fc.Arbitrary<readonly Step[]> = fc.oneof(
  fc.constant([]),
  fc
    .integer({ min: 0, max: 20 })
    .map((grace): readonly Step[] => [['op.window.tumbling', { size: '10s', grace: `${grace}s` }]]),
  fc.constant<readonly Step[]>([['op.window.hopping', { size: '10s', advance: '5s' }]]),
  fc.constant<readonly Step[]>([['op.window.session', { gap: '4s' }]]),
);

const aggregate: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    window,
    fc.constantFrom<Step>(
      ['op.aggregate', { function: 'count' }],
      ['op.aggregate', { function: 'sum', of: 'value.n' }],
      ['op.aggregate', { function: 'max', of: 'value.n' }],
      ['op.aggregate', { function: 'mean', of: 'value.n' }],
    ),
  )
  .map(([partitions, windows, last]) => [
    ['op.select-key', { key: 'string(value.n % 3)', partitions }],
    ...windows,
    last,
  ]);

const record: fc.Arbitrary<OneRecord> = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.record({ n: fc.integer({ min: 0, max: 12 }), who: fc.constantFrom(null, 'x', 'y') }),
  timestamp: fc.integer({ min: 0, max: 60_000 }),
});

const cases: fc.Arbitrary<Case> = fc.record({
  steps: fc.array(perRecord, { maxLength: 4 }),
  aggregate: fc.oneof(fc.constant<readonly Step[]>([]), aggregate),
  records: fc.array(record, { minLength: 1, maxLength: 25 }),
  cut: fc.nat({ max: 25 }),
  savepoint: fc.boolean(),
});

function documentFor({ steps, aggregate: last }: Case): WorkflowDocument {
  const chain = [...steps, ...last].map(([type, config], i) => [`s${i}`, type, config] as const);
  const ids = ['orders', ...chain.map(([id]) => id), 'all'];
  return documentOf(
    [['orders', 'source.topic', { topic: 'orders' }], ...chain, ['all', 'collect', {}]],
    ids.slice(1).map((id, i) => `${ids[i]} > ${id}`),
  );
}

/** Records of different keys may come in any order. */
function sorted(value: Json | undefined): readonly string[] {
  return (value as readonly Json[]).map((each) => JSON.stringify(each)).sort();
}

async function inBatch(document: WorkflowDocument, { records }: Case): Promise<readonly string[]> {
  const host = memoryHost();
  await putRecords(host.log, ORDERS, records);
  const { outputs } = await runDocument(host, document);
  await host.log.close();
  return sorted(outputs['all.out']);
}

async function streaming(document: WorkflowDocument, { records, cut, savepoint }: Case): Promise<readonly string[]> {
  const host = memoryHost();
  await putRecords(host.log, ORDERS, records.slice(0, cut));
  if (savepoint) {
    const stop = new AbortController();
    const first = runDocument(host, document, { mode: 'streaming', savepoint: stop.signal });
    await systemClock.sleep(20);
    stop.abort();
    assert.equal((await first).how, 'savepoint');
  }
  const end = new AbortController();
  const running = runDocument(host, document, { mode: 'streaming', end: end.signal });
  await systemClock.sleep(20);
  await putRecords(host.log, ORDERS, records.slice(cut));
  end.abort();
  const { outputs } = await running;
  await host.log.close();
  return sorted(outputs['all.out']);
}

async function oneByOne(document: WorkflowDocument, { records }: Case): Promise<readonly string[]> {
  const host = memoryHost();
  const results: Json[] = [];
  for (const [i, input] of records.entries()) {
    const { outputs } = await runDocument(host, document, {
      mode: 'realtime',
      name: `wf.one-${i}.orders`,
      input: { ...input } as unknown as Json,
    });
    results.push(...(outputs['all.out'] as readonly Json[]));
  }
  await host.log.close();
  return sorted(results);
}

test('the same document gives the same result in batch, streaming and realtime', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const document = documentFor(one);
      const batch = await inBatch(document, one);
      assert.deepEqual(await streaming(document, one), batch, 'streaming');
      if (one.aggregate.length === 0) assert.deepEqual(await oneByOne(document, one), batch, 'realtime');
    }),
    { numRuns: 30, seed: SEED },
  );
});

test('a join has the whole of a table that a connector fills, in batch and streaming', {
  timeout: 120_000,
}, async () => {
  const rows = 20_000;
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['made', 'source.generator', { count: rows, make: "{'id': string(index), 'price': index}", time: '0' }],
      ['by', 'op.select-key', { key: 'value.id', partitions: 1 }],
      ['prices', 'op.table', { store: 'prices' }],
      ['priced', 'op.join', { how: 'left', merge: "{'n': value.n, 'price': row == null ? null : row.price}" }],
      ['all', 'collect', {}],
    ],
    ['orders > priced.in', 'made > by', 'by > prices', 'prices > priced.with', 'priced > all'],
  );
  const numbers = [0, 1, rows - 1];
  const records = numbers.map((n) => ({ key: String(n), value: { n, who: null }, timestamp: 1000 }));
  const one: Case = { steps: [], aggregate: [], records, cut: records.length, savepoint: false };
  const expected = numbers.map((n) => JSON.stringify({ n, price: n })).sort();
  assert.deepEqual(await inBatch(document, one), expected);
  assert.deepEqual(await streaming(document, one), expected);
});
