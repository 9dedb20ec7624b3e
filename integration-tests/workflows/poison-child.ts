import { systemClock } from '../../core/clock.ts';
import { DOCUMENTS, ENDS, INNOCENT, isHeld, openPoison } from './poison-world.ts';
import { openLog, type Place } from './world.ts';

/**
 * Runs tasks of which some end this very process, in the ways that are named. Started again and again, it says so when all
 * others have completed and these are held.
 */
const [text, named = ENDS.join()] = process.argv.slice(2) as [string, string?];
const ends = ENDS.filter((each) => named.split(',').includes(each));
const place = JSON.parse(text) as Place;
const log = await openLog(place);
const workflows = await openPoison(place, log);
for (const document of DOCUMENTS) await workflows.publish(document);
const all = [
  ...ends.map((each) => workflows.start(`poison-${each}`, 1, { execution: each })),
  ...Array.from({ length: INNOCENT }, (_, i) => workflows.start('innocent', i, { execution: `x${i}` })),
];
await Promise.all(all);
await Promise.all(Array.from({ length: INNOCENT }, (_, i) => workflows.ended(`x${i}`)));
for (const each of ends) while (!(await isHeld(workflows, each))) await systemClock.sleep(20);
await workflows.drain();
await log.close();
console.log('all ended');
