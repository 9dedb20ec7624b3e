import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { randomInt } from '../../core/random.ts';
import { KAFKA_FAILPOINTS } from '../../log/kafka/failpoints.ts';
import type { AppProcess } from './app-process.ts';
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

/** Steps that leave an open transaction behind. */
const ABORTING: readonly string[] = ['commit.begun', 'commit.appended', 'commit.positions'];

/** Reached once in the life of a process. */
const ONCE: readonly string[] = ['producer.opening', 'restore.table'];

/** Where a process that stops holds an open transaction, or has just ended one. */
const STOPPED_AT = ['commit.positions', 'commit.begun', 'commit.ending', 'commit.committed', 'commit.appended'];
/** The default session of a member. */
const SESSION_MS = 6000;

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

/** What the steps of the commit do not reach: a process ends as it gives up or takes over tasks. */
const groupRows = KAFKA_FAILPOINTS.map(
  (failpoint): Row => ({
    id: failpoint.startsWith('kafka.producer') ? '1 K12 behind' : `1 K11 ${failpoint.split('.').at(-1)}`,
    title: `killed at ${failpoint} while another process joins`,
    worlds: ['kafka'],
    repeats: 5,
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start({ slot: 0, failpoint: `${failpoint}:1:kill` });
        if (failpoint.startsWith('kafka.member.revok')) await trial.works(app);
        const other = await trial.start({ slot: 1 });
        await trial.dies(app);
        await trial.recovered();
        await trial.stop(other);
      }
    },
  }),
);

export const PROCESS_ROWS: readonly Row[] = [
  ...killRows,
  ...groupRows,
  {
    id: '1 each',
    title: 'killed at each step in turn',
    worlds: ['kafka'],
    short: 1,
    repeats: 3,
    needs: ['faults', 'aborted'],
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats; i++) {
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
    id: '1 stop',
    title: 'stopped in the middle of a commit for longer than the session, while another process goes on; then waked',
    worlds: ['kafka'],
    repeats: 5,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats; i++) {
        const step = STOPPED_AT[i % STOPPED_AT.length]!;
        const zombie = await trial.start({ slot: 0, failpoint: `${step}:${3 + randomInt(trial.random, 5)}:stop` });
        const other = await trial.start({ slot: 1 });
        await zombie.until((each) => each.isReady);
        await trial.freezes(zombie);
        trial.faults++;
        await trial.clock.sleep(SESSION_MS + 1000);
        await trial.recovered();
        zombie.signal('SIGCONT');
        await trial.recovered();
        await trial.stop(zombie);
        await trial.stop(other);
      }
    },
  },
  {
    id: '4',
    title: 'a zombie: stopped for longer than its session, while another process goes on; then waked',
    worlds: ['kafka'],
    short: 1,
    repeats: 10,
    needs: ['faults', 'joins', 'rebuilds'],
    async run(trial, repeats) {
      let owner = await trial.start({ slot: 0 });
      await trial.works(owner);
      for (let i = 0; i < repeats; i++) {
        const other = await trial.start({ slot: (i + 1) % 2 });
        await trial.works(other);
        trial.fault(owner, 'SIGSTOP');
        await trial.clock.sleep(SESSION_MS + 1000);
        await trial.recovered();
        owner.signal('SIGCONT');
        await trial.clock.sleep(randomInt(trial.random, 2000));
        await trial.recovered();
        if (owner.end === undefined) await trial.stop(owner);
        owner = other;
      }
    },
    mayFail: /log\.fenced/,
  },
  {
    id: '5',
    title: 'two processes with one transactional id, as after a folder was copied',
    worlds: ['kafka'],
    repeats: 5,
    mayFail: /log\.fenced/,
    needs: ['faults', 'fenced'],
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const first = await trial.start({ slot: 0 });
        await trial.works(first);
        trial.faults++;
        await trial.copyIdentity(0, 1);
        const second = await trial.start({ slot: 1 });
        await second.until((each) => each.figures.commits > 0);
        await trial.clock.sleep(3000);
        await trial.recovered();
        for (const app of [first, second]) if (app.end === undefined) await trial.stop(app);
      }
    },
  },
  {
    id: '6',
    title: 'processes join and leave, one after another',
    worlds: ['kafka'],
    repeats: 60,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      const steady = await trial.start({ slot: 0 });
      await trial.works(steady);
      const guests: AppProcess[] = [];
      let serial = 0;
      for (let i = 0; i < repeats; i++) {
        while (guests.length < 2) guests.push(await trial.start({ slot: 1 + (serial++ % 3) }));
        const first = guests.shift()!;
        await trial.within(
          first.until((each) => each.isReady),
          'a guest to be ready',
        );
        trial.faults++;
        await trial.stop(first);
        await trial.clock.sleep(randomInt(trial.random, 500));
        if (i % 20 === 19) await trial.recovered();
      }
      for (const guest of guests) await trial.stop(guest);
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
