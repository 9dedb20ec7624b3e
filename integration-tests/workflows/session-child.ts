import { using } from '../../workflows/control/testing/session-driver.ts';
import { open, openLog, type Place } from './world.ts';

/** Starts executions of a few users that are not there yet, and waits for their ends; what their sessions hold it says. */
const [text, number] = process.argv.slice(2) as [string, string];
const place = JSON.parse(text) as Place;
const log = await openLog(place);
const workflows = await open(place, log);
const visit = {
  ...{ id: 'visit', type: 'slow' },
  data: {
    config: { n: 1 },
    policy: { retry: { maxAttempts: 5, initial: '5ms' } },
    session: {
      read: ['items', 'visits'],
      write: { visits: '= session.visits + 1', items: '= session.items + [input.item]' },
    },
  },
};
await workflows.publish(using('visiting', [visit], [], { ttl: '1h' }));
console.log('busy');
const users = ['ann', 'bob', 'cleo'];
const all = Array.from({ length: Number(number) }, async (_, i) => {
  const execution = `x${i}`;
  await workflows.start('visiting', { user: users[i % users.length]!, item: execution }, { execution });
  const { status, error } = await workflows.ended(execution);
  if (status !== 'COMPLETED') console.error(`${execution} is ${status}: ${JSON.stringify(error)}`);
});
await Promise.all(all);
for (const user of users) console.log(JSON.stringify(await workflows.session('cart', user)));
await workflows.drain();
await log.close();
console.log('all ended');
