import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProcessContext, Processor } from '../operators/operators.ts';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const BEHIND = 5;
const KEYED = { key: string(), value: int64(), partitions: 2 } as const;
const events = topic('events', KEYED);
const times = topic('times', KEYED);

/** Tells the time of its stage with each record. */
class Tell implements Processor<string, number, string, number> {
  process(_value: number, key: string | null, context: ProcessContext<string, number>): void {
    context.forward(key ?? '', context.streamTime);
  }
}

/** A stage that goes by the watermark of two tasks before it. */
function program() {
  const app = topology('watermarks');
  app
    .stream(events, { watermark: { maxOutOfOrderness: BEHIND } })
    .repartition({ name: 'again', ...KEYED })
    .process<number>({ name: 'tell', supplier: () => new Tell(), value: int64() })
    .to(times);
  return app.build();
}

test('a watermark never goes back, whatever crashes or moves, and is behind the newest record of every input', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    later: fc.nat(9),
    back: fc.nat(12),
    after: fc.constantFrom('nothing', 'nothing', 'nothing', 'commit', 'crash', 'rebalance'),
  });
  let told = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      // no input falls idle
      const driver = await TopologyDriver.open(program(), { commit: 'on demand', idleMs: 1 });
      const latest = [-1, -1];
      const before = [-1, -1];
      const take = () => {
        for (const { value, partition } of driver.output(times).read()) {
          assert.ok(value >= before[partition]!, `${value} comes behind ${before[partition]}`);
          assert.ok(value <= Math.max(-1, Math.min(...latest) - BEHIND), `${value} is ahead of ${latest}`);
          before[partition] = value;
          if (value > 0) told++;
        }
      };
      let time = 100;
      for (const { key, later, back, after } of steps) {
        time += later;
        const partition = key < 'c' ? 0 : 1;
        const timestamp = time - back;
        latest[partition] = Math.max(latest[partition]!, timestamp);
        driver.input(events).send(key, 1, { timestamp, partition });
        if (after === 'commit') driver.commit();
        if (after === 'crash') await driver.crash();
        if (after === 'rebalance') await driver.rebalance();
        take();
      }
      driver.commit();
      take();
    }),
    { numRuns: 60, seed: 44, endOnFailure: true },
  );
  assert.ok(told > 200, `${told} times were told`);
});
