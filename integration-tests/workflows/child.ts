import { isFlowError } from '../../core/errors.ts';
import { DOCUMENTS, open, openLog, type Place, workflowOf } from './world.ts';

/**
 * Starts executions that are not there yet, helps all to their end, and says so. Killed and started again it goes on:
 * every command has an id that is always the same.
 */
const [text, number] = process.argv.slice(2) as [string, string];
const place = JSON.parse(text) as Place;
const count = Number(number);
const log = await openLog(place);
const workflows = await open(place, log);
for (const document of DOCUMENTS) await workflows.publish(document);
console.log('busy');

async function one(i: number): Promise<void> {
  const execution = `x${i}`;
  const workflow = workflowOf(i);
  await workflows.start(workflow, i, { execution });
  if (workflow === 'waits') {
    await workflows.signal(execution, 'go', i * 1000, { id: `go ${i}` }).catch((thrown: unknown) => {
      if (!isFlowError(thrown, 'workflow.ended')) throw thrown;
    });
  }
  await workflows.ended(execution);
}

let next = 0;
const lane = async () => {
  while (next < count) await one(next++);
};
await Promise.all(Array.from({ length: 200 }, lane));
await workflows.drain();
await log.close();
console.log('all ended');
