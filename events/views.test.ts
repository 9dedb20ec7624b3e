import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../core/ids.ts';
import {
  cursorText,
  type FeedFilter,
  type GraphNames,
  MAX_SAMPLE_BYTES,
  mayTake,
  namedEvents,
  readCursor,
  readReference,
  referenceText,
  type StepEvent,
  type StepRecord,
  takes,
} from './events.ts';

const NAMES: GraphNames = {
  ...{ workflow: 'orders', id: (node) => `n${node}`, type: () => 'expression' },
  schema: (_, port) => (port === 'typed' ? 'a1' : null),
};

function record(events: readonly StepEvent[], over: Partial<StepRecord> = {}): StepRecord {
  const cause = { kind: 'command', type: 'start', id: 'c1', by: 'ann' } as const;
  return { execution: 'e1', seq: 4, revision: 1, definition: 'h', at: 1000, cause, events, ...over };
}

const at = { node: 2, iteration: '3' };

test('a transition, an output and a failed attempt are events with ids, not numbers', () => {
  const error = { class: 'TRANSIENT', code: 'http.503', message: 'busy', instance: '/nodes/2' } as const;
  const found = namedEvents(
    record([
      { type: 'node', ...at, attempt: 1, from: 'QUEUED', to: 'RUNNING', cause: 'slot-granted' },
      { type: 'timer-set', ...at, attempt: 1, timer: 'run', due: 5 },
      { type: 'attempt-failed', ...at, attempt: 1, error, decision: 'retry', retryAt: 1500 },
      { type: 'output', ...at, port: 'out', value: { total: 3 }, bytes: 11 },
    ]),
    NAMES,
  );
  const common = {
    workflow: 'orders',
    execution: 'e1',
    seq: 4,
    at: 1000,
    node: 'n2',
    nodeType: 'expression',
    iteration: '3',
  };
  assert.deepEqual(found, [
    {
      ...{ type: 'NODE_STATE_CHANGED', index: 0, ...common },
      data: { from: 'QUEUED', to: 'RUNNING', attempt: 1, cause: 'slot-granted', trigger: 'start by ann' },
    },
    { type: 'ERROR_OCCURRED', index: 1, ...common, data: { attempt: 1, error, decision: 'retry', retryAt: 1500 } },
    {
      ...{ type: 'DATA_AVAILABLE', index: 2, ...common },
      data: { port: 'out', reference: 'e1/4/n2@3/out', bytes: 11, schema: null, sample: { total: 3 }, cut: false },
    },
  ]);
});

test('S2.1.b3: a start tells the definition and the input by their hashes, the mode, who asked and for whom', () => {
  const event = (input: Json): StepEvent => ({
    ...{ type: 'started', workflow: 'orders', version: '1.0.0', input, mode: 'batch', user: 'ann', priority: 5 },
    ...{ deadline: null, labels: {}, idempotencyKey: null, selected: null, pins: null, forkOf: null },
    parent: { execution: 'p', at },
  });
  const data = (input: Json) => namedEvents(record([event(input)]), NAMES)[0]!.data;
  const { definition, inputHash, mode, user, parent, cause } = data({ a: 1, b: [2] });
  assert.deepEqual([definition, mode, user, parent, cause], ['h', 'batch', 'ann', 'p', 'start by ann']);
  assert.match(String(inputHash), /^[0-9a-f]{64}$/);
  assert.equal(data({ b: [2], a: 1 })['inputHash'], inputHash);
  assert.notEqual(data({ b: [2], a: 2 })['inputHash'], inputHash);
});

test('S2.1.b2: data is told with the schema that its port declares', () => {
  const events = ['typed', 'out'].map((port) => ({ type: 'output', ...at, port, value: 1, bytes: 1 }) as const);
  assert.deepEqual(
    namedEvents(record(events), NAMES).map(({ data }) => data['schema']),
    ['a1', null],
  );
});

test('S2.1.b4: an end tells status, counters, whether it is degraded, and a reference to its answer', () => {
  const counts = { COMPLETED: 3000, FAILED: 0, CANCELLED: 2 };
  const end = { type: 'ended', status: 'COMPLETED', degraded: true, error: null } as const;
  const data = (event: StepEvent) => namedEvents(record([event]), NAMES)[0]!.data;
  assert.deepEqual(data({ ...end, output: { a: 1 }, counts }), {
    ...{ status: 'COMPLETED', degraded: true, counters: counts, error: null },
    ...{ reference: 'e1/4', bytes: 7, output: { a: 1 }, cut: false },
  });
  const { counters, bytes, cut } = data({ ...end, output: 'x'.repeat(5000) });
  assert.deepEqual([counters, bytes, cut], [null, 5002, true], 'of a record of before there are no counters');
});

test('a reference is text and back, part of an address, and bounded by what it names', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((each) => each.toWellFormed());
  const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$|^#[0-9]{1,4}$/);
  const whole = { noNullPrototype: true } as const;
  const place = fc.record(
    {
      execution: text,
      seq: fc.integer({ min: 1, max: 2 ** 40 }),
      at: fc.option(fc.record({ node: id, iteration: fc.constantFrom('', '0', '3.12'), port: text }, whole), {
        nil: null,
      }),
    },
    whole,
  );
  fc.assert(
    fc.property(place, (each) => {
      const reference = referenceText(each);
      assert.match(reference, /^[\x21-\x7e]+$/);
      assert.equal(new URL(`http://h/v1/outputs/${reference}`).search, '');
      assert.deepEqual(readReference(reference), each);
    }),
    { seed: 13, numRuns: 500 },
  );
  assert.equal(referenceText({ execution: 'a\ud800', seq: 1, at: null }), 'a%EF%BF%BD/1');
  for (const wrong of [
    '',
    'e1',
    'e1/0',
    'e1/x',
    '/1',
    'e1/1/n',
    'e1/1/n/out/more',
    'e1/1/%/out',
    'e1/99999999999999999',
  ])
    assert.throws(() => readReference(wrong), { code: 'query.invalid' }, wrong);
});

test('a sample never exceeds its bound', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 4000 }), fc.string({ unit: 'binary', maxLength: 4000 }), fc.array(fc.string())),
      (value) => {
        const bytes = Buffer.byteLength(JSON.stringify(value));
        const [event] = namedEvents(record([{ type: 'output', ...at, port: 'out', value, bytes }]), NAMES);
        assert.ok(Buffer.byteLength(JSON.stringify(event!.data['sample'])) <= MAX_SAMPLE_BYTES);
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});

test('a sample is cut between characters', () => {
  for (const value of ['😀'.repeat(600), `x${'😀'.repeat(600)}`]) {
    const [event] = namedEvents(record([{ type: 'output', ...at, port: 'out', value, bytes: 2400 }]), NAMES);
    const { sample, cut } = event!.data as { readonly sample: string; readonly cut: boolean };
    assert.ok(cut);
    assert.ok(sample.isWellFormed(), sample.slice(-2));
  }
});

test('folding the transitions alone gives the states of the nodes', () => {
  const moves = [
    ['PENDING', 'QUEUED'],
    ['QUEUED', 'RUNNING'],
    ['RUNNING', 'COMPLETED'],
  ] as const;
  const events = moves.map(([from, to]) => ({ type: 'node', ...at, attempt: 1, from, to, cause: 'inline' }) as const);
  const states = new Map<string, unknown>();
  for (const { node, data } of namedEvents(record(events), NAMES)) states.set(node!, data['to']);
  assert.deepEqual([...states], [['n2', 'COMPLETED']]);
});

test('what a filter says of a step fits what it says of its events', () => {
  const events: readonly StepEvent[] = [
    { type: 'node', node: 1, iteration: '', attempt: 1, from: null, to: 'PENDING', cause: 'execution-started' },
    { type: 'output', node: 2, iteration: '', port: 'out', value: 1, bytes: 1 },
    { type: 'progress', node: 3, iteration: '', value: 1 },
    { type: 'rejected', code: 'x', why: 'y' },
  ];
  const filters: fc.Arbitrary<FeedFilter> = fc.record(
    {
      workflow: fc.constantFrom('orders', 'refunds'),
      execution: fc.constantFrom('e1', 'e2'),
      node: fc.constantFrom('n1', 'n2', 'n3'),
      types: fc.subarray(['NODE_STATE_CHANGED', 'DATA_AVAILABLE', 'ERROR_OCCURRED'] as const),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(filters, fc.subarray([...events]), (filter, some) => {
      const step = record(some);
      const taken = namedEvents(step, NAMES).filter((event) => takes(filter, event));
      if (taken.length > 0) assert.ok(mayTake(filter, step, () => NAMES));
    }),
    { seed: 12, numRuns: 500 },
  );
  assert.ok(!mayTake({ node: 'n3' }, record(events), () => NAMES), 'progress is no event of the outside');
});

test('a cursor is text and back; what is none is refused', () => {
  assert.deepEqual(readCursor(cursorText([3, 0, 18])), [3, 0, 18]);
  for (const text of ['', '1.', 'x', '1.-2', '9'.repeat(20)])
    assert.throws(() => readCursor(text), { code: 'query.invalid' });
});
