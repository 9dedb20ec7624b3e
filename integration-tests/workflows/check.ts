import assert from 'node:assert/strict';
import type { Json } from '../../core/ids.ts';
import { decodeStep, EVENTS_TOPIC, type StepRecord } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { resultOf } from './world.ts';

/** Every execution has ended once, with the right result; its records are without a gap, and no command counts twice. */
export async function assertAllEnded(
  log: Log,
  count: number,
  result: (i: number) => Json = resultOf,
  read: (output: Json) => Json = (output) => output,
): Promise<void> {
  const records = new Map<string, StepRecord[]>();
  const { partitions } = (await log.admin.describe(EVENTS_TOPIC))!.settings;
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(log, EVENTS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
      const record = decodeStep(bytes, valueStarts[i]!, valueEnds[i]!);
      if (record.seq === 0) return;
      const list = records.get(record.execution) ?? [];
      records.set(record.execution, list);
      list.push(record);
    });
  }
  assert.equal(records.size, count);
  for (let i = 0; i < count; i++) {
    const list = records.get(`x${i}`)!;
    assert.deepEqual(
      list.map(({ seq }) => seq),
      list.map((_, n) => n + 1),
    );
    const ends = list.flatMap(({ events }) => events.filter(({ type }) => type === 'ended'));
    assert.equal(ends.length, 1, `x${i} has ended ${ends.length} times`);
    const [end] = ends;
    assert.ok(end?.type === 'ended' && end.error === null, `x${i}: ${JSON.stringify(end)}`);
    assert.deepEqual(read(end.output), result(i));
    const completed = list.flatMap(({ events }) =>
      events.flatMap((event) =>
        event.type === 'node' && event.to === 'COMPLETED' ? [`${event.node}@${event.iteration}`] : [],
      ),
    );
    assert.equal(new Set(completed).size, completed.length, `a node of x${i} has completed twice`);
    const causes = list.flatMap(({ cause }) => (cause.kind === 'command' ? [cause.id] : []));
    assert.equal(new Set(causes).size, causes.length, `a command to x${i} counted twice`);
  }
}
