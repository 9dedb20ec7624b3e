import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { createAggregate } from './aggregate.ts';
import type { OperatorContext, ResumableScan } from './operators.ts';
import { OwnClock } from './own-clock.ts';
import type { ProcessContext } from './process.ts';
import { Rec } from './record.ts';
import { testProgram } from './testing/everything.ts';
import { createNaiveTable } from './testing/naive-table.ts';
import { TestNumber } from './testing/test-parts.ts';
import { TestTask } from './testing/test-task.ts';

const source = topic('in', { key: string(), value: int64(), partitions: 1 });
const out = topic('out', { key: string(), value: int64(), partitions: 1 });

function processing(work: (context: ProcessContext<string, number>) => void): TestTask {
  const app = topology('processing');
  app
    .stream(source)
    .process<number>({
      name: 'work',
      value: int64(),
      supplier: () => ({ process: (_v: number, _k: string, context: ProcessContext<string, number>) => work(context) }),
    })
    .to(out);
  return new TestTask(testProgram(app.build()));
}

const record = { topic: 'in', key: 'a', value: 1, timestamp: 5 };

test('a processor may use only the stores that its node names', () => {
  const task = processing((context) => context.store('other'));
  assert.throws(() => task.feed(record), { code: 'plan.invalid', message: /process:work uses store other: name it/ });
});

test('what a processor forwards has the time of its record, or a whole one from 0 on', () => {
  const task = processing((context) => {
    context.forward('a', 1);
    context.forward('a', 2, 99);
  });
  task.feed(record);
  assert.deepEqual(
    task.written.items.map(({ timestamp }) => timestamp),
    [5, 99],
  );
  const wrong = processing((context) => context.forward('a', 1, -1));
  assert.throws(() => wrong.feed(record), { code: 'record.failed', message: /time -1/ });
  assert.deepEqual(wrong.written.items, []);
});

test('a final result that fails for good is passed over by skip, and the next one comes', () => {
  const app = topology('skipping');
  app.stream(source).groupByKey().window(tumbling(10)).count({ store: 'c' });
  const program = testProgram(app.build());
  const node = program.nodes.find((each) => each.kind === 'aggregate')!;
  const step = new Step();
  const table = createNaiveTable({ name: 'c', windowed: true, cells: int64().cells, ordered: false }, step);
  const scans: ResumableScan[] = [];
  const numbers = new Map<string, TestNumber>();
  const context = {
    step,
    serde: (name: string) => program.serde(name),
    table: () => table,
    storeSerdes: () => ({ key: string(), value: int64() }),
    number: (name: string, initial: number) => numbers.set(name, new TestNumber(step, initial)).get(name)!,
    clock: () => new OwnClock(new TestNumber(step, -1)),
    scan: (scan: ResumableScan) => scans.push(scan),
  } as unknown as OperatorContext;
  const seen: string[] = [];
  const finals = (final: Rec) => {
    const { key } = final.key as { key: string };
    if (key === 'b') throw new Error('no');
    seen.push(key);
  };
  const operator = createAggregate(node, context, [() => {}, finals]);
  const input = new Rec();
  for (const key of ['a', 'b', 'c']) {
    step.begin();
    input.timestamp = 3;
    input.setKey(key);
    input.setValue(1);
    operator.inputs[0]!(input);
    step.settle();
  }
  step.begin();
  operator.end!();
  step.settle();
  for (let more = true; more; ) {
    step.begin();
    try {
      more = scans[0]!.advance();
      step.settle();
    } catch {
      step.rollback();
      step.begin();
      scans[0]!.skip!();
      step.settle();
    }
  }
  assert.deepEqual(seen, ['a', 'c']);
  // no newer one lies ahead of it
  assert.deepEqual(table.panes(), [0]);
});
