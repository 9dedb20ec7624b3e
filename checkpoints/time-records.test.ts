import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView, readHeaders } from '../log/batch.ts';
import { Outputs } from './outputs.ts';
import { appendTimeRecord, isTimeRecord, readTimeRecord, type TimeRecord } from './time-records.ts';

const RECORD: TimeRecord = {
  run: 3,
  entries: [
    { task: 'source.in_0', at: 1_764_000_000_000, status: 'active' },
    { task: 'source.in_1', at: -1, status: 'idle' },
    { task: 'source.in_12', at: 7, status: 'ended' },
  ],
};

/** How version 1 lies in a topic. Newer versions have another header value, and still read this. */
const VERSION_1 = '[3,["source.in_0",1764000000000,0],["source.in_1",-1,1],["source.in_12",7,2]]';

function viewOf(bytes: Buffer): BatchView {
  const view = new BatchView();
  view.open(bytes, 0, bytes.length, { topic: 't', partition: 0 });
  return view;
}

test('a time record is told from data by its header, and reads as it was written', () => {
  const builder = new BatchBuilder(new Step());
  const text = Buffer.from('nf.time');
  builder.append(5, text, -1, -1, text, 0, text.length);
  appendTimeRecord(builder, 9, RECORD);
  const view = viewOf(builder.finish());
  assert.deepEqual(
    [0, 1].map((i) => isTimeRecord(view, i)),
    [false, true],
  );
  const [start, end] = [view.valueStarts[1]!, view.valueEnds[1]!];
  assert.equal(view.bytes.toString('utf8', start, end), VERSION_1);
  assert.deepEqual(readTimeRecord(view.bytes, start, end), RECORD);
  const headers = readHeaders(view.bytes, view.headerStarts[1]!, view.bodyEnds[1]!);
  assert.deepEqual(headers, [{ name: 'nf.time', value: Buffer.from('1') }]);
});

test('what tasks tell stands last in each partition that the epoch wrote, and alone in the others for all to know', () => {
  const step = new Step();
  const outputs = new Outputs(step, 50);
  const bytes = Buffer.alloc(40);
  const write = (partition: number) => {
    step.begin();
    outputs.builder('t', partition).append(1, bytes, -1, -1, bytes, 0, 40);
    step.settle();
    outputs.seal(false);
  };
  const told = () => {
    outputs.seal(true);
    return outputs.take().flatMap(({ partition, bytes: batch, records }) => {
      const view = viewOf(batch);
      const last = records - 1;
      if (!isTimeRecord(view, last)) return [];
      const { entries } = readTimeRecord(view.bytes, view.valueStarts[last]!, view.valueEnds[last]!);
      return [`${partition}: ${entries.map(({ task }) => task)}`];
    });
  };
  const topic = { name: 't', partitions: 3 };
  write(1);
  outputs.times.add(topic, 0, { task: 'a', at: 1, status: 'active' }, false);
  outputs.times.add(topic, 0, { task: 'b', at: 1, status: 'active' }, true);
  assert.deepEqual(told().sort(), ['0: b', '1: a,b', '2: b']);
  outputs.times.add(topic, 0, { task: 'a', at: 1, status: 'active' }, false);
  assert.deepEqual(told(), []);
  outputs.times.add(topic, 0, { task: 'a', at: 1, status: 'active' }, true);
  outputs.clear();
  assert.deepEqual(told(), []);
});
