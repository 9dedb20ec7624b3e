import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { Rec } from '../operators/operators.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { Drops } from './drops.ts';
import { MetricSet } from './metrics.ts';
import { RecordTime } from './record-time.ts';

test('each clamped time counts once, however often its record is looked at, and not where it is undone', () => {
  const telemetry = createTelemetry();
  const step = new Step();
  const drops = new Drops(new MetricSet(telemetry, { application: 'a', task: 't' }), step);
  const latest = {
    value: 10,
    set(value: number) {
      this.value = value;
    },
  };
  const time = new RecordTime({
    time: undefined,
    timing: { maxAheadMs: 5, onAbsurdTime: 'clamp', watermark: null, align: null },
    latest,
    now: () => 0,
    clamped: () => drops.clamped('source:in'),
  });
  const pushed: number[] = [];
  const push = time.follow(({ timestamp }) => pushed.push(timestamp));
  const record = new Rec();
  const run = (position: number, timestamp: number, undone = false) => {
    step.begin();
    for (let looks = 0; looks < 2; looks++) {
      record.position = position;
      record.timestamp = timestamp;
      record.timestamp = time.of(record);
    }
    push(record);
    if (undone) step.rollback();
    else step.settle();
  };
  run(1, 99, true);
  latest.value = 10;
  run(1, 99);
  run(2, 16);
  run(3, -1);
  assert.deepEqual(pushed, [15, 15, 16, 16]);
  const counted = telemetry.snapshot().filter(({ name }) => name === 'nodeflow_clamped_times_total');
  assert.deepEqual(
    counted.map(({ values }) => values[0]),
    [2],
  );
});
