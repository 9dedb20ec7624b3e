import { nothingLeft, SUMS } from './segments-world.ts';
import { open, openLog, type Place } from './world.ts';

/**
 * Starts executions of a job of the data plane that are not there yet, waits for their ends, and until nothing of their
 * segments is left, and says so.
 */
const [text, number] = process.argv.slice(2) as [string, string];
const place = JSON.parse(text) as Place;
const log = await openLog(place);
const workflows = await open(place, log);
await workflows.publish(SUMS);
console.log('busy');
await Promise.all(
  Array.from({ length: Number(number) }, async (_, i) => {
    await workflows.start('job', i, { execution: `x${i}` });
    await workflows.ended(`x${i}`);
  }),
);
await nothingLeft(log, place);
await workflows.drain();
await log.close();
console.log('all ended');
