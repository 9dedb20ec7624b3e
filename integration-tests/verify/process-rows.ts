import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { randomInt } from '../../core/random.ts';
import type { Row } from './rows.ts';
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
};

/** Reached once in the life of a process. */
const ONCE: readonly string[] = ['producer.opening', 'restore.table'];

const killRows = FAILPOINTS.map(
  (failpoint): Row => ({
    id: `1 ${STEPS[failpoint]}`,
    title: `killed at ${failpoint}`,
    worlds: ['file', 'kafka'],
    short: 1,
    repeats: 5,
    run: (trial, repeats) => killAt(trial, failpoint, repeats),
  }),
);

async function killAt(trial: Trial, failpoint: string, repeats: number): Promise<void> {
  await trial.begin();
  for (let i = 0; i < repeats; i++) {
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
    short: 2,
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
    title: 'SIGTERM, and SIGKILL right behind it',
    worlds: ['file', 'kafka'],
    repeats: 5,
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start();
        await trial.works(app);
        trial.fault(app, 'SIGTERM');
        await trial.clock.sleep(randomInt(trial.random, 30));
        app.signal('SIGKILL');
        await app.whenEnded();
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    id: '8',
    title: 'the loop blocked for 1 s and 10 s',
    worlds: ['kafka'],
    repeats: 2,
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start({ block: { afterRecords: 3000, forMs: i % 2 === 0 ? 1000 : 10_000 } });
        await app.until((each) => each.figures.records > 3000);
        trial.faults++;
        await trial.recovered();
        await trial.stop(app);
      }
    },
  },
];
