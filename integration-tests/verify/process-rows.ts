import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { randomInt } from '../../core/random.ts';
import { ONCE, type Row } from './rows.ts';
import type { Trial } from './trial.ts';

/** The steps of the commit protocol, by the names of the failpoints at which a process ends. */
const STEPS: { readonly [failpoint in (typeof FAILPOINTS)[number]]: string } = {
  'feed.fetched': 'K0',
  'commit.cut': 'K1',
  'commit.begun': 'K2',
  'commit.appended': 'K3',
  'commit.positions': 'K4',
  'commit.ending': 'K5',
  'commit.committed': 'K6',
  'store.writing': 'K7',
  'store.written': 'K8',
  'commit.published': 'K9',
  'restore.table': 'K10',
  'producer.opening': 'K12',
  'feed.between': 'K13',
};

/** Steps that leave an open transaction behind; at those before, nothing is on its way to the brokers yet. */
const ABORTING: readonly string[] = ['commit.appended', 'commit.positions'];
/** So many kills more where none has met an epoch with outputs: one of positions alone leaves nothing to be seen. */
const MOST_MORE = 10;

const killRows = FAILPOINTS.map(
  (failpoint): Row => ({
    id: `1 ${STEPS[failpoint]}`,
    title: `killed at ${failpoint}`,
    worlds: ['file', 'kafka'],
    repeats: 5,
    needs: ABORTING.includes(failpoint) ? ['faults', 'aborted'] : ['faults'],
    run: (trial, repeats) => killAt(trial, failpoint, repeats),
  }),
);

async function mustGoOn(trial: Trial, more: number): Promise<boolean> {
  return trial.world.shared && more < MOST_MORE && (await trial.aborted()) === 0;
}

async function killAt(trial: Trial, failpoint: string, repeats: number): Promise<void> {
  await trial.begin();
  for (let i = 0; i < repeats || (ABORTING.includes(failpoint) && (await mustGoOn(trial, i - repeats))); i++) {
    const hit = ONCE.includes(failpoint) ? 1 : 2 + randomInt(trial.random, 4);
    await trial.dies(await trial.start({ failpoint: `${failpoint}:${hit}:kill` }));
    const next = await trial.start();
    await trial.recovered();
    await trial.works(next);
    await trial.stop(next);
  }
}

export const PROCESS_ROWS: readonly Row[] = [
  ...killRows,
  {
    id: '1 each',
    title: 'killed at each step in turn',
    worlds: ['kafka'],
    short: 1,
    repeats: 3,
    needs: ['faults', 'aborted'],
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats || (await mustGoOn(trial, i - repeats)); i++) {
        for (const failpoint of FAILPOINTS) {
          const hit = ONCE.includes(failpoint) ? 1 : 2 + randomInt(trial.random, 4);
          await trial.dies(await trial.start({ failpoint: `${failpoint}:${hit}:kill` }));
        }
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    id: '1 any',
    title: 'killed at any time',
    worlds: ['file', 'kafka'],
    repeats: 10,
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start();
        await trial.works(app, 1 + randomInt(trial.random, 10));
        trial.fault(app, 'SIGKILL');
        await app.whenEnded();
        if (i % 3 === 2) await trial.loseStores();
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    id: '2',
    title: 'SIGTERM under load',
    worlds: ['file', 'kafka'],
    short: 1,
    repeats: 10,
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start();
        await trial.works(app, 1 + randomInt(trial.random, 5));
        trial.faults++;
        await trial.stop(app);
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    id: '3',
    title: 'SIGTERM, and SIGKILL at once or, where the last commit is held back, 1 s behind it',
    worlds: ['file', 'kafka'],
    short: 1,
    repeats: 5,
    async run(trial, repeats) {
      for (let i = 0; i < 2 * repeats; i++) {
        const app = await trial.start();
        await trial.works(app);
        const held = i % 2 === 1 && trial.world.shared;
        const action = { do: 'hold' } as const;
        const rule = held
          ? trial.proxy.add({ name: 'last commit', api: 'endTxn', direction: 'request', times: 1000, action })
          : undefined;
        await rule?.whenFired();
        trial.fault(app, 'SIGTERM');
        await trial.clock.sleep(held ? 1000 : randomInt(trial.random, 30));
        app.signal('SIGKILL');
        await app.whenEnded();
        // what was held arrives when its sender is gone
        rule?.remove();
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    id: '8',
    title: 'the loop of a process blocked for 1 s and 10 s: it goes on, or has lost its tasks and takes them up again',
    worlds: ['kafka'],
    repeats: 3,
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < 2 * repeats; i++) {
        const isLong = i % 2 === 1;
        const app = await trial.start({ block: { afterRecords: 2000, forMs: isLong ? 10_000 : 1000 } });
        await trial.struck(app);
        await trial.recovered();
        await trial.works(app);
        if (isLong && app.figures.rebuilds === 0) trial.problems.push('it did not notice that it had lost its tasks');
        if (!isLong && app.figures.rebuilds > 0) trial.problems.push('it began again for a second');
        await trial.stop(app);
      }
    },
  },
  {
    id: '8 thread',
    title: 'a worker thread blocked for 15 s: told within 2 s, and another process goes on with its tasks meanwhile',
    worlds: ['kafka'],
    short: 1,
    repeats: 3,
    needs: ['faults', 'rebuilds', 'joins'],
    async run(trial, repeats) {
      const other = await trial.start({ slot: 1 });
      await trial.works(other);
      for (let i = 0; i < repeats; i++) {
        const block = { afterRecords: 500, forMs: 15_000 };
        const app = await trial.start({ slot: 0, settings: { workers: 2 }, block });
        await trial.struck(app);
        const since = trial.clock.monotonic();
        await trial.within(
          app.until(({ figures }) => figures.degraded),
          'the process to say that it is degraded',
        );
        const alarmMs = trial.clock.monotonic() - since;
        trial.alarmsMs.push(alarmMs);
        if (alarmMs > 2000) trial.problems.push(`it said so after ${alarmMs} ms`);
        await trial.recovered();
        if (!app.figures.degraded) trial.problems.push('nobody went on with the tasks of the thread that stood still');
        await trial.within(
          app.until(({ figures }) => !figures.degraded),
          'the thread to go on',
        );
        await trial.recovered();
        await trial.stop(app);
      }
    },
  },
];
