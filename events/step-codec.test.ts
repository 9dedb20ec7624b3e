import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import type { Json } from '../core/ids.ts';
import {
  decodeStep,
  encodeStep,
  isStepOf,
  STEP_SCHEMA,
  type StepEvent,
  type StepRecord,
  stepHead,
  stepName,
} from './events.ts';
import { STEP_VERSION } from './step-schema.ts';
import { StepWriter } from './step-writer.ts';

const at = { node: 3, iteration: '2.0' };
const EVENTS: readonly StepEvent[] = [
  {
    ...{ type: 'started', workflow: 'pay', version: '1.2.3', input: { total: 12.5, text: 'é' }, mode: 'batch' },
    ...{ user: 'ann', priority: 7, deadline: 1_800_000_000_000, labels: { a: 'b' }, idempotencyKey: 'k' },
    ...{ parent: { execution: 'p', at }, selected: [1, 2], pins: { x: null }, forkOf: { execution: 'o', seq: 4 } },
  },
  { type: 'node', ...at, attempt: 1, from: null, to: 'PENDING', cause: 'execution-started' },
  { type: 'node', ...at, attempt: 300, from: 'RUNNING', to: 'COMPLETED', cause: 'succeeded' },
  { type: 'output', ...at, port: 'out', value: { list: [1, null, 'x'.repeat(100)] }, bytes: 123 },
  { type: 'delivered', ...at, taken: [1, 2, 300], skipped: [] },
  {
    ...{ type: 'attempt-failed', ...at, attempt: 1, decision: 'retry', retryAt: 1_790_000_000_123 },
    error: { class: 'TRANSIENT', code: 'http.429', message: 'too many', instance: '/nodes/3' },
  },
  { type: 'waiting', ...at, on: 'approval', token: 'e:3', detail: { form: null } },
  { type: 'wait-ended', ...at, token: 'e:3', by: null },
  { type: 'timer-set', timer: 'retry', ...at, due: 1_790_000_000_123, attempt: 2 },
  { type: 'timer-cleared', timer: 'deadline', ...at, due: 1_790_000_000_123, attempt: 2 },
  { type: 'iterations', ...at, count: 12, items: [1], atOnce: 2 },
  { type: 'progress', ...at, value: 0.5 },
  { type: 'checkpoint', ...at, number: 2, value: [1] },
  { type: 'signal-stored', name: 'go', id: '1', payload: null },
  { type: 'signal-taken', name: 'go', id: '1' },
  { type: 'iteration', ...at, index: 3, to: 'ended', value: { a: 1 } },
  {
    ...{ type: 'compensating', order: ['3', '1@2'] },
    error: { class: 'USER', code: 'x', message: 'y', instance: '' },
  },
  { type: 'deferred', nodes: ['3', '1@2'] },
  {
    ...{ type: 'patched', revision: 2, ops: [{ op: 'remove-node', id: 'x' }], by: 'ann' },
    ...{ added: [], removed: [3], removedEdges: [1] },
  },
  { type: 'paused', by: null },
  { type: 'cancelling', reason: 'enough', by: 'ann' },
  { type: 'ending', by: null },
  { type: 'savepoint', next: { version: '2.0.0', nodes: ['a'] }, by: 'ann' },
  { type: 'node', ...at, attempt: 1, from: 'RUNNING', to: 'CANCELLED', cause: 'savepoint' },
  { type: 'intervened', ...at, action: 'skip', value: null, by: 'ann' },
  { type: 'dead-letter', ...at, id: 'd', reason: 'gave up' },
  {
    ...{ type: 'ended', status: 'FAILED', degraded: true, output: { e: -1 } },
    error: { class: 'USER', code: 'x', message: 'y', instance: '', detail: [1] },
    counts: { COMPLETED: 3000, FAILED: 1, CANCELLED: 0 },
  },
  { type: 'rejected', code: 'workflow.stale', why: 'another attempt runs' },
];

const RECORD: StepRecord = {
  execution: 'order-7/pay',
  seq: 12,
  revision: 1,
  definition: 'ab'.repeat(32),
  at: 1_790_000_000_000,
  cause: { kind: 'command', type: 'start', id: 'c-1', by: 'ann' },
  events: EVENTS,
};

const CASES: readonly StepRecord[] = [
  RECORD,
  { ...RECORD, definition: 'no hash', cause: { kind: 'timer', timer: 'run', due: 1_790_000_000_123 } },
  { ...RECORD, cause: { kind: 'continue' }, events: [] },
  {
    ...RECORD,
    events: [
      {
        ...(EVENTS[0] as Extract<StepEvent, { type: 'started' }>),
        outputs: { a: { else: 1 } },
        continues: { execution: 'x/~2', first: 'x', number: 3 },
      },
    ],
  },
  { ...RECORD, events: [{ type: 'ended', status: 'COMPLETED', degraded: false, output: null, error: null }] },
  { ...RECORD, execution: '漢'.repeat(40), cause: { kind: 'command', type: 'cancel', id: '', by: null } },
];

test('what is written is read again, and its head alone', () => {
  for (const record of CASES) {
    const bytes = encodeStep(record);
    const padded = Buffer.concat([Buffer.of(9, 9), bytes, Buffer.of(9)]);
    assert.deepEqual(decodeStep(padded, 2, padded.length - 1), record);
    const { events, ...head } = record;
    assert.deepEqual(stepHead(padded, 2, padded.length - 1), { ...head, count: events.length });
    const isOf = (execution: string) => isStepOf(padded, 2, padded.length - 1, stepName(execution));
    assert.ok(isOf(record.execution));
    for (const other of [`${record.execution}x`, `x${record.execution}`, record.execution.slice(1), '']) {
      assert.ok(!isOf(other), other);
    }
  }
});

test('a definition without a hash is read as it is, by whichever record the writer begins', () => {
  const record = { ...RECORD, definition: '' };
  assert.equal(decodeStep(new StepWriter().encode(record)).definition, '');
  const zeros = { ...RECORD, definition: '0'.repeat(64) };
  assert.deepEqual(new StepWriter().encode(zeros), encodeStep(zeros));
});

test('records of each version that were kept are read, and those of the newest written as they were', () => {
  for (let version = 1; version <= STEP_VERSION; version++) {
    const golden = readFileSync(join(import.meta.dirname, 'golden', `steps-${version}.json`), 'utf8');
    const kept = JSON.parse(golden) as readonly { readonly bytes: string; readonly record: StepRecord }[];
    assert.ok(kept.length > 0);
    for (const { bytes, record } of kept) {
      assert.equal(Buffer.from(bytes, 'base64')[0], version);
      assert.deepEqual(decodeStep(Buffer.from(bytes, 'base64')), record);
      if (version === STEP_VERSION) assert.equal(encodeStep(record).toString('base64'), bytes);
      else assert.deepEqual(decodeStep(encodeStep(record)), record);
    }
  }
});

test('the bytes behind the version are Avro by the published schema', () => {
  const type = avsc.Type.forSchema(STEP_SCHEMA as never, { wrapUnions: true });
  for (const record of CASES) {
    const body = encodeStep(record).subarray(1);
    const value = type.fromBuffer(body) as { readonly execution: string; readonly events: readonly object[] };
    assert.equal(value.execution, record.execution);
    assert.equal(value.events.length, record.events.length);
    assert.deepEqual(type.toBuffer(value), body);
  }
});

test('a node takes some tens of bytes at most', () => {
  const node = (i: number): readonly StepEvent[] => [
    { type: 'node', node: i, iteration: '', attempt: 1, from: 'PENDING', to: 'RUNNING', cause: 'inline' },
    { type: 'output', node: i, iteration: '', port: 'out', value: i, bytes: 1 },
    { type: 'node', node: i, iteration: '', attempt: 1, from: 'RUNNING', to: 'COMPLETED', cause: 'succeeded' },
    { type: 'delivered', node: i, iteration: '', taken: [i], skipped: [] },
  ];
  const events = Array.from({ length: 10 }, (_, i) => node(i)).flat();
  assert.ok(encodeStep({ ...RECORD, events }).length < 500);
});

test('bytes that are cut, changed or of another version are told apart from records', () => {
  const bytes = encodeStep(RECORD);
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => decodeStep(bytes, 0, end), { code: 'schema.mismatch' });
  }
  assert.throws(() => decodeStep(Buffer.concat([bytes, Buffer.of(0)])), { code: 'schema.mismatch' });
  assert.throws(() => decodeStep(Buffer.concat([Buffer.of(STEP_VERSION + 1), bytes.subarray(1)])), {
    code: 'schema.mismatch',
  });
  assert.throws(() => decodeStep(Buffer.concat([Buffer.of(0), bytes.subarray(1)])), { code: 'schema.mismatch' });
});

test('JSON that is damaged within a record is told like all that is', () => {
  let damaged = 0;
  for (const event of EVENTS) {
    const whole = encodeStep({ ...RECORD, events: [event] });
    for (let at = whole.indexOf('{"'); at >= 0; at = whole.indexOf('{"', at + 1)) {
      const bytes = Buffer.from(whole);
      bytes[at] = 'x'.charCodeAt(0);
      assert.throws(() => decodeStep(bytes), { code: 'schema.mismatch' }, event.type);
      damaged++;
    }
  }
  assert.ok(damaged > 20);
});

test('what a node puts out is read as JSON reads it', () => {
  const head = { execution: 'x', seq: 1, revision: 0, definition: '', at: 0, cause: { kind: 'continue' } } as const;
  const numbers = fc.constantFrom(0, -0, 9, 10, 999_999_999_999_999, 1_000_000_000_000_000, 2 ** 53 - 1, -1, 0.5, 1e21);
  const values = fc.oneof(numbers, fc.nat(), fc.integer(), fc.maxSafeNat(), fc.jsonValue());
  fc.assert(
    fc.property(values, fc.array(fc.nat(200)), (value, taken) => {
      const place = { node: 3, iteration: '' };
      const events: StepEvent[] = [
        { type: 'output', ...place, port: 'out', value: value as Json, bytes: 1 },
        { type: 'delivered', ...place, taken, skipped: taken },
      ];
      const stored = JSON.parse(JSON.stringify(events)) as unknown;
      assert.deepStrictEqual(decodeStep(encodeStep({ ...head, events })).events, stored);
    }),
    { numRuns: 2000 },
  );
});
