import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../core/clock.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Fetched } from '../log/log.ts';
import type { KeptNumber, Push } from '../operators/operators.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { TaskState } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { openCalls } from './calls.ts';
import type { Failures } from './failures.ts';
import { Mailboxes } from './mailboxes.ts';
import { ScanRequests } from './scan-requests.ts';
import { Task } from './task.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';

interface Row {
  readonly timestamp: number;
  /** Kept where odd; the filter fails on 13. */
  readonly value: number | null;
}

const rows = fc.array(
  fc.record({
    timestamp: fc.nat(60),
    value: fc.option(fc.oneof(fc.nat(15), fc.constantFrom(0, 2, 4)), { freq: 6 }),
  }),
  { maxLength: 40 },
);

const passes = (value: unknown) => {
  if (value === 13) throw new Error('thirteen');
  return value !== null && (value as number) % 2 === 1;
};

/** The rows from a position on, in whole batches, as a reader hands them over. */
function fetchedOf(rows: readonly Row[], topic: string, batchRecords: number, position = 0): Fetched {
  const builder = new BatchBuilder(new Step());
  const batches: Buffer[] = [];
  for (let from = position - (position % batchRecords); from < rows.length; from += batchRecords) {
    for (const { timestamp, value } of rows.slice(from, from + batchRecords)) {
      const bytes = Buffer.alloc(8);
      if (value !== null) bytes.writeBigInt64BE(BigInt(value));
      builder.append(timestamp, bytes, -1, -1, bytes, value === null ? -1 : 0, value === null ? -1 : 8);
    }
    const batch = builder.finish();
    batch.writeBigInt64BE(BigInt(from));
    batches.push(batch);
  }
  const starts = batches.map((_, i) => batches.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  return {
    ...{ topic, partition: 0, position, next: rows.length, end: rows.length },
    bytes: Buffer.concat(batches),
    starts,
    ends: batches.map((batch, i) => starts[i]! + batch.length),
    release: () => undefined,
  };
}

function keptNumber(value: number): KeptNumber {
  return {
    get value() {
      return value;
    },
    set(next) {
      value = next;
    },
  };
}

interface Case {
  readonly topics: readonly (readonly Row[])[];
  readonly batchRecords: number;
  readonly slice: number;
  readonly timerMs: number | undefined;
  readonly end: number | undefined;
}

interface Manner {
  readonly screened: boolean;
  /** The screen is asked as batches are decoded. */
  readonly alone?: boolean;
  /** After so many slices the task goes on anew where it stands, as after a crash behind a commit. */
  readonly cut?: number;
}

/** Everything that happens, in order. */
function happenings(each: Case, { screened, alone = false, cut = 0 }: Manner): readonly string[] {
  const log: string[] = [];
  const streamTime = keptNumber(-1);
  const begin = (position: number) => taskOf(each, { screened, alone }, log, streamTime, position);
  let task = begin(0);
  for (let slices = 1; task.run(each.slice) === 'busy'; slices++) {
    if (slices === cut) task = begin(task.inputs[0]!.position);
    // Where a slice ends in the middle is told by the records taken.
    const at = task.inputs.map(({ position }) => position);
    if (!alone) log.push(`${task.records} records, stream time ${streamTime.value}, at ${at}`);
  }
  const records = cut === 0 ? `${task.records} records, ` : '';
  log.push(`${records}stream time ${streamTime.value}, finished ${task.finished}`);
  return log;
}

function taskOf(
  each: Case,
  { screened, alone = false }: Manner,
  log: string[],
  streamTime: KeptNumber,
  position: number,
) {
  const step = new Step();
  const timers = new Timers(streamTime);
  if (each.timerMs !== undefined) {
    const fire = (at: number) => log.push(`timer at ${at}`);
    timers.add({ place: 0, intervalMs: each.timerMs, time: 'stream', fire, next: keptNumber(0) });
  }
  const inputs = each.topics.map((rows, i) => {
    const topic = `t${i}`;
    const next: Push = (record) => log.push(`${topic} ${record.position} ${record.value} at ${streamTime.value}`);
    const input = new TopicInput({
      ...{ topic, partition: 0, node: topic, position, alone, time: undefined },
      ...{ key: string(), keyView: string().view(), value: int64(), valueView: int64().view() },
      push: (record) => {
        if (passes(record.value)) next(record);
      },
      screen: screened ? { passes, next } : undefined,
      pass: undefined,
    });
    input.offer(fetchedOf(rows, topic, each.batchRecords, position));
    input.setEnd(Math.min(each.end ?? rows.length, rows.length));
    return input;
  });
  return new Task({
    ...{ id: 'task', step, inputs, operators: [], starts: [], streamTime, timers },
    ...{ state: {} as TaskState, scans: new ScanRequests(step), counts: new Float64Array(0) },
    ...{ flush: () => undefined, outputs: { full: false } },
    mailboxes: new Mailboxes(step, () => undefined),
    calls: openCalls({
      ...{ clock: new VirtualClock(), step, telemetry: silentTelemetry(), application: 'sift', task: 'task' },
      notify: () => undefined,
    }),
    failures: {
      handle: (_thrown: unknown, { topic, record }: TopicInput) => log.push(`${topic} ${record.position} failed`),
    } as unknown as Failures,
  });
}

test('records passed over by a screen leave the same behind as records pushed into its filter', () => {
  fc.assert(
    fc.property(
      fc.record({
        topics: fc.array(rows, { minLength: 1, maxLength: 2 }),
        batchRecords: fc.integer({ min: 1, max: 20 }),
        slice: fc.integer({ min: 1, max: 30 }),
        timerMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
        end: fc.option(fc.nat(40), { nil: undefined }),
      }),
      (each) => assert.deepEqual(happenings(each, { screened: true }), happenings(each, { screened: false })),
    ),
    { numRuns: 400 },
  );
});

test('so do records left out as their batch is decoded, wherever the task is cut', () => {
  fc.assert(
    fc.property(
      fc.record({
        rows,
        batchRecords: fc.integer({ min: 1, max: 20 }),
        slice: fc.integer({ min: 1, max: 30 }),
        end: fc.option(fc.nat(40), { nil: undefined }),
        cut: fc.nat(5),
      }),
      ({ rows, cut, ...rest }) => {
        const each = { ...rest, topics: [rows], timerMs: undefined };
        const inOneGo = happenings({ ...each, slice: 1000 }, { screened: false });
        const told = happenings(each, { screened: true, alone: true });
        assert.deepEqual(told, inOneGo);
        const withCut = happenings(each, { screened: true, alone: true, cut });
        const records = /^[0-9]+ records, /;
        assert.deepEqual(
          withCut.map((line) => line.replace(records, '')),
          inOneGo.map((line) => line.replace(records, '')),
        );
      },
    ),
    { numRuns: 400 },
  );
});
