import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView } from '../log/batch.ts';
import { Outputs } from './outputs.ts';
import { splitBatch } from './split-batch.ts';

const WHERE = { topic: 't', partition: 0 };

function write(builder: BatchBuilder, step: Step, sizes: readonly number[]): void {
  step.begin();
  sizes.forEach((size, n) => {
    const value = Buffer.alloc(size, n);
    const key = Buffer.from(`k${n}`);
    builder.append(1000 - n, key, 0, key.length, value, 0, size);
  });
  step.settle();
}

function recordsOf(bytes: Buffer): readonly string[] {
  const view = new BatchView();
  view.open(bytes, 0, bytes.length, WHERE);
  return Array.from({ length: view.count }, (_, i) => {
    const key = view.bytes.toString('latin1', view.keyStarts[i]!, view.keyEnds[i]!);
    return `${view.timestamps[i]} ${key} ${view.valueEnds[i]! - view.valueStarts[i]!}`;
  });
}

test('a batch is split into several within the limit, which hold all its records in order', () => {
  const step = new Step();
  const builder = new BatchBuilder(step);
  const sizes = Array.from({ length: 50 }, (_, n) => 1 + ((n * 97) % 400));
  write(builder, step, sizes);
  const whole = builder.finish();
  for (const compression of ['none', 'lz4'] as const) {
    const pieces = splitBatch(whole, 1000, compression, WHERE);
    assert.ok(pieces.length > 5);
    for (const { bytes } of pieces) assert.ok(bytes.length <= 1000, `${bytes.length} bytes`);
    assert.deepEqual(
      pieces.flatMap(({ bytes }) => recordsOf(bytes)),
      recordsOf(whole),
    );
    assert.deepEqual(
      pieces.map(({ records }) => records),
      pieces.map(({ bytes }) => recordsOf(bytes).length),
    );
  }
});

test('outputs are written within what their topic takes, though one record brings the batch past it', () => {
  const step = new Step();
  const outputs = new Outputs(step, 800, 'none', () => 1000);
  write(outputs.builder('t', 0), step, [700, 900]);
  outputs.seal(false);
  const taken = outputs.take();
  assert.deepEqual(
    taken.map(({ records }) => records),
    [1, 1],
  );
  assert.ok(taken.every(({ bytes }) => bytes.length <= 1000));
});
