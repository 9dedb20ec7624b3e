import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { readTopic } from '../../runtime/runtime.ts';
import { json, string } from '../../schemas/schemas.ts';
import { topic } from '../../topology/topology.ts';
import { open, put, sums } from '../../workflows/control/streams.fixture.ts';
import { documentOf } from '../../workflows/segments/jobs.fixture.ts';
import { nothingLeft } from './segments-world.ts';
import { openLog, type Place } from './world.ts';

/**
 * Upgrades a streaming execution, or one that has started that, again and again while records come, then ends the last
 * one. Killed and started again it goes on: it asks for every upgrade again, and puts what is not there yet.
 */
const [text, number, upgrades, workflow] = process.argv.slice(2) as [string, string, string, 'job' | 'outer'];
const place = JSON.parse(text) as Place;
const count = Number(number);
const AT_ONCE = 20;

const log = await openLog(place);
const workflows = await open(log, `${place.directory}/state`);
await workflows.publish(sums('1.0.0'));
await workflows.publish(sums('2.0.0', ['large', 'op.filter', { where: 'value.total >= 0' }]));
for (const version of ['1.0.0', '2.0.0']) {
  const outer = documentOf([['run', 'workflow', { workflow: 'job', version: '1.0.0' }]], []);
  await workflows.publish({ ...outer, id: 'outer', version, mode: 'streaming' });
}

const there = new Set<number>();
const orders = topic('orders', { key: string(), value: json<{ readonly total: number }>(), partitions: 2 });
if ((await log.admin.describe('orders')) !== undefined) {
  await readTopic(log, orders, (value) => {
    there.add(value!.total);
  });
}
const missing = Array.from({ length: count }, (_, total) => total).filter((total) => !there.has(total));
await put(log, ...missing.splice(0, AT_ONCE));
await workflows.start(workflow, null, { execution: 'x', version: '1.0.0' });
console.log('busy');

const feeding = (async () => {
  while (missing.length > 0) {
    await put(log, ...missing.splice(0, AT_ONCE));
    await systemClock.sleep(15);
  }
})();
let execution = 'x';
for (let n = 0; n < Number(upgrades); n++) {
  const version = n % 2 === 0 ? '2.0.0' : '1.0.0';
  ({ execution } = await workflows.upgrade(execution, { version, id: `upgrade ${n}` }));
  console.log(`upgraded ${execution}`);
  await systemClock.sleep(20);
}
await feeding;
await workflows.end(execution, { id: 'end' }).catch((thrown: unknown) => {
  if (!isFlowError(thrown, 'workflow.ended')) throw thrown;
});
const { status, output, error } = await workflows.ended(execution);
console.log(JSON.stringify({ execution, status, output, error }));
await nothingLeft(log, place);
await workflows.drain();
await log.close();
