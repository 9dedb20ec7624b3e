import { systemClock } from '../../../core/clock.ts';
import { fanOut } from '../../../workflows/control/records.fixture.ts';
import type { WorkflowDocument } from '../../../workflows/document.ts';
import { documentOf } from '../../../workflows/segments/jobs.fixture.ts';
import { open, openLog, type Place } from '../world.ts';

/**
 * A workflow for each of many records: `run` starts one that answers, waits for its end, and says so; `cancel` starts one
 * whose records wait for nothing that comes, cancels it, and says so.
 */
const [text, how, number] = process.argv.slice(2) as [string, 'run' | 'cancel', string];
const place = JSON.parse(text) as Place;

/** It takes a timer and a task. */
const ONE: WorkflowDocument = {
  ...documentOf(
    [
      ['while', 'delay', { for: '2ms' }],
      ['done', 'slow', { n: 0 }],
      ['n', 'expression', { value: '= input' }],
    ],
    ['while > done', 'done > n'],
  ),
  id: 'one',
  // killed from outside in five short lives in a row, a task would be held
  policy: { quarantine: false, retry: { maxAttempts: 5, initial: '5ms', max: '20ms', on: ['PERMANENT'] } },
};

const NEVER: WorkflowDocument = { ...documentOf([['word', 'wait.signal', { name: 'never' }]], []), id: 'never' };

/** Of those that never end nothing is summed up. */
function fan(workflow: 'one' | 'never'): WorkflowDocument {
  const config = { workflow, concurrency: 40, order: 'none' };
  return { ...fanOut({ count: Number(number), config, collects: workflow === 'never' }), id: `fan-${workflow}` };
}

const log = await openLog(place);
const workflows = await open(place, log);
await workflows.publish(ONE);
await workflows.publish(NEVER);
await workflows.publish(fan('one'));
await workflows.publish(fan('never'));
console.log('busy');
if (how === 'run') {
  await workflows.start('fan-one', null, { execution: 'x' });
  const { status, output, error } = await workflows.ended('x');
  console.log(`${status} ${JSON.stringify(output)} ${JSON.stringify(error)}`);
} else {
  await workflows.start('fan-never', null, { execution: 'y' });
  for (;;) {
    const view = await workflows.execution('y/each~0-40');
    if (view !== undefined) break;
    await systemClock.sleep(5);
  }
  await workflows.cancel('y').catch(() => undefined);
  console.log('cancelled');
  await workflows.ended('y');
  console.log('all ended');
}
await workflows.drain();
await log.close();
