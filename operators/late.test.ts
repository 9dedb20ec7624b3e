import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import { hopping, sliding, topic, topology, tumbling, validatePlan } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const KEYED = { key: string(), value: int64(), partitions: 1 } as const;
const input = topic('in', KEYED);
const late = topic('late', KEYED);

const events = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value: fc.nat(99), timestamp: fc.nat(60) }), {
  maxLength: 40,
});

test('late records come out as they went in, each once, however many of its windows had closed', () => {
  fc.assert(
    fc.property(events, fc.nat(5), fc.constantFrom(4, 10), (rows, grace, advance) => {
      const app = topology('late');
      app
        .stream(input)
        .groupByKey()
        .window(advance === 10 ? tumbling(10, { grace }) : hopping(10, { advance, grace }))
        .count({ store: 'counts' })
        .late()
        .to(late);
      const task = new TestTask(testProgram(app.build()));
      task.feed(...rows.map((row): Datum => ({ topic: 'in', ...row })));
      let clock = -1;
      let closed = 0;
      const expected: Datum[] = [];
      for (const row of rows) {
        clock = Math.max(clock, row.timestamp);
        let times = 0;
        for (let start = 0; start <= row.timestamp; start += advance) {
          if (row.timestamp < start + 10 && start + 10 + grace <= clock) times++;
        }
        closed += times;
        if (times > 0) expected.push({ topic: 'late', ...row });
      }
      assert.deepEqual(task.written.items, expected);
      assert.equal(task.dropped.items.length, closed);
    }),
    { seed: 31 },
  );
});

test('a record that is late for several sliding windows comes out once, and counts once for each', () => {
  const app = topology('late');
  const windows = sliding({ difference: 10, grace: 0 });
  app.stream(input).groupByKey().window(windows).count({ store: 'counts' }).late().to(late);
  const task = new TestTask(testProgram(app.build()));
  const at = (timestamp: number): Datum => ({ topic: 'in', key: 'a', value: timestamp, timestamp });
  task.feed(at(20), at(26), at(33), at(24));
  assert.deepEqual(task.written.items, [{ topic: 'late', key: 'a', value: 24, timestamp: 24 }]);
  assert.ok(task.dropped.items.length > 1, `${task.dropped.items.length} windows`);
});

test('late() behind what drops nothing as late is a fault of the plan', () => {
  const app = topology('none');
  app
    .stream(input)
    .filter((value) => value !== null)
    .to(late);
  const { plan } = app.build();
  const filter = plan.nodes.find(({ kind }) => kind === 'filter')!;
  const node = { kind: 'late', id: 'late:in:1', inputs: [filter.id], key: null, value: null } as const;
  const [fault] = validatePlan({ ...plan, nodes: [...plan.nodes, node] });
  assert.match(fault!.message, /late:in:1 takes the late records of filter:in:1, which drops none as late/);
});
