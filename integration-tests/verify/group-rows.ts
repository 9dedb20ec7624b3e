import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { randomInt } from '../../core/random.ts';
import { KAFKA_FAILPOINTS } from '../../log/kafka/failpoints.ts';
import type { AppProcess } from './app-process.ts';
import { ONCE, type Row } from './rows.ts';
import type { Trial } from './trial.ts';

/** The default session of a member. */
const SESSION_MS = 6000;
/** Nothing may show nothing for longer while processes come and go. */
const WINDOW_MS = 10_000;
/** So many processes at once that start and stop take their time. */
const STORM_PATIENCE_MS = 30_000;
/** Of those who are to stay, so long that a busy machine neither puts them out nor starts them again too late. */
const PATIENT = { sessionTimeoutMs: 60_000 };
/** So many records of a partition are an epoch or more. */
const KEPT_RECORDS = 100;

/** What the steps of the commit do not reach: a process ends as it gives up or takes over tasks. */
const failpointRows = KAFKA_FAILPOINTS.map(
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

/** Processes that share the work, come and go, or have the place of one another. */
export const GROUP_ROWS: readonly Row[] = [
  ...failpointRows,
  {
    id: '1 stop',
    title: 'stopped at each step in turn for longer than the session, while another process goes on; then waked',
    worlds: ['kafka'],
    repeats: FAILPOINTS.length,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats; i++) {
        const step = FAILPOINTS[i % FAILPOINTS.length]!;
        const hit = ONCE.includes(step) ? 1 : 3 + randomInt(trial.random, 5);
        const zombie = await trial.start({ slot: 0, failpoint: `${step}:${hit}:stop` });
        const other = await trial.start({ slot: 1 });
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
      trial.watcher!.mark();
      const guests: AppProcess[] = [];
      let serial = 0;
      for (let i = 0; i < repeats; i++) {
        while (guests.length < 2) guests.push(await trial.start({ slot: 1 + (serial++ % 3) }));
        const first = guests.shift()!;
        await becomesReady(trial, first);
        trial.faults++;
        await trial.stop(first);
        await trial.clock.sleep(randomInt(trial.random, 500));
        if (i % 20 === 19) await trial.recovered();
      }
      for (const guest of guests) await trial.stop(guest);
      await trial.recovered();
      checkGoneOn(trial, 'a partition', trial.watcher!.longestOfAllMs);
    },
  },
  {
    id: '6 storm',
    title: 'a process started or stopped every 500 ms, ready or not, for 60 s; behind it all is done within 30 s',
    worlds: ['kafka'],
    repeats: 120,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      const steady = await trial.start({ slot: 0 });
      await trial.works(steady);
      trial.watcher!.mark();
      const guests: AppProcess[] = [];
      const stops: Promise<void>[] = [];
      for (let i = 0; i < repeats; i++) {
        if (i % 2 === 0) guests.push(await trial.start({ slot: 1 + ((i / 2) % 3) }));
        if (i % 2 === 1 && guests.length > 2) stops.push(trial.stop(guests.shift()!, STORM_PATIENCE_MS));
        trial.faults++;
        await trial.clock.sleep(500);
      }
      for (const guest of guests) stops.push(trial.stop(guest, STORM_PATIENCE_MS));
      await trial.within(trial.recovered(), 'the lag to be gone', STORM_PATIENCE_MS);
      await Promise.all(stops);
      // a single task may have gone from guest to guest before it came to work
      checkGoneOn(trial, 'the job', trial.watcher!.silentMs);
    },
  },
  {
    id: 'kept',
    title: 'a process joins and leaves; what the other keeps goes on meanwhile',
    worlds: ['kafka'],
    repeats: 10,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      const { steady, member } = await oneAtWork(trial);
      for (let i = 0; i < repeats; i++) {
        trial.watcher!.mark();
        const joins = trial.joins;
        const guest = await trial.start({ slot: 1, settings: PATIENT });
        await trial.within(
          guest.until(() => trial.joins > joins),
          'the guest to join',
        );
        const before = await committedOf(trial);
        await becomesReady(trial, guest);
        const after = await committedOf(trial);
        trial.faults++;
        const goneOn = () => after.map((end, partition) => end - before[partition]!);
        const kept = await keptBy(trial, member, goneOn, 'while the other process joined');
        await leaves(trial, guest);
        trial.gapsMs.push(...kept.map((partition) => trial.watcher!.longestMs(partition)));
      }
      checkSteady(trial, steady);
    },
  },
  {
    id: 'kept open',
    title: 'a process joins, and hears nothing of what it was given until what the other keeps has gone on',
    worlds: ['kafka'],
    repeats: 5,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      const { steady, member } = await oneAtWork(trial);
      for (let i = 0; i < repeats; i++) {
        const held = trial.proxy.add({
          ...{ name: 'what the guest is given', api: 'syncGroup', direction: 'answer', action: { do: 'hold' } },
          where: ({ bytes }) => !bytes.includes(member),
        });
        const guest = await trial.start({ slot: 1, settings: PATIENT });
        await trial.within(held.whenFired(), 'the guest to be given something');
        trial.faults++;
        // the round is over for the other, which gives up tasks and joins the next: that waits for the guest
        const joins = trial.joins;
        await trial.within(
          steady.until(() => trial.joins > joins),
          'the first process to have given up tasks',
        );
        const goneOn = shownSince(trial);
        await trial.within(
          steady.until(() => goneOn().some((count) => count >= KEPT_RECORDS)),
          'what is kept to go on',
        );
        const counts = goneOn();
        if (guest.isReady) trial.problems.push('the guest was ready before it heard what it was given');
        held.remove();
        await becomesReady(trial, guest);
        await keptBy(trial, member, () => counts, 'while the group was assigned anew');
        await leaves(trial, guest);
      }
      checkSteady(trial, steady);
    },
  },
  {
    id: 'static',
    title: 'a static member stopped or killed, and started again within its session: nobody is assigned anew',
    worlds: ['kafka'],
    repeats: 10,
    needs: ['faults', 'joins'],
    async run(trial, repeats) {
      const start = () => trial.start({ slot: 0, settings: { ...PATIENT, instanceId: 'one' } });
      const other = await trial.start({ slot: 1, settings: { ...PATIENT, instanceId: 'two' } });
      await trial.works(other);
      let member = await start();
      await trial.works(member);
      for (let i = 0; i < repeats; i++) {
        const before = await sharesOf(trial);
        trial.fault(member, i % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
        await member.whenEnded();
        member = await start();
        await trial.works(member);
        await trial.recovered();
        const after = await sharesOf(trial);
        if (before !== after) trial.problems.push(`the group was ${before}, and is ${after}`);
      }
      if (other.figures.rebuilds > 0) trial.problems.push('the other process had to begin again from its last commit');
    },
  },
  {
    id: 'static twin',
    title: 'a second process with the instance id of the first: the first ends and says why',
    worlds: ['kafka'],
    repeats: 3,
    mayFail: /^log\.fenced: .*instance id one\b/,
    needs: ['faults', 'fenced'],
    async run(trial, repeats) {
      let older = await trial.start({ slot: 0, settings: { instanceId: 'one' } });
      for (let i = 0; i < repeats; i++) {
        await trial.works(older);
        trial.faults++;
        const newer = await trial.start({ slot: (i + 1) % 2, settings: { instanceId: 'one' } });
        await trial.within(older.whenEnded(), 'the first process to end');
        if (older.failure === undefined) trial.problems.push('the first process did not say why it ended');
        await trial.recovered();
        older = newer;
      }
    },
  },
];

/** A process, beside which others come and go, and what the group calls it. */
async function oneAtWork(trial: Trial): Promise<{ readonly steady: AppProcess; readonly member: string }> {
  const steady = await trial.start({ slot: 0, settings: PATIENT });
  await trial.works(steady);
  return { steady, member: [...(await trial.group()).tasks.keys()][0]! };
}

async function becomesReady(trial: Trial, guest: AppProcess): Promise<void> {
  await trial.within(
    guest.until((each) => each.isReady),
    'the guest to be ready',
  );
}

/** Where each partition ends for committed readers; the watcher may have seen less by now. */
function committedOf(trial: Trial): Promise<readonly number[]> {
  const { name, partitions } = trial.job.topics.copy;
  return trial.withLog((log) =>
    Promise.all(Array.from({ length: partitions }, async (_, p) => (await log.admin.bounds(name, p)).stable)),
  );
}

/** How many records of each partition have come out since the call. */
function shownSince(trial: Trial): () => readonly number[] {
  const { ids } = trial.watcher!;
  const before = ids.map(({ length }) => length);
  return () => ids.map(({ length }, partition) => length - before[partition]!);
}

/** The partitions that the member has kept, each of which is to have shown something. */
async function keptBy(
  trial: Trial,
  member: string,
  shown: () => readonly number[],
  when: string,
): Promise<readonly number[]> {
  const kept = trial.inputsOf((await trial.group()).tasks.get(member) ?? []);
  if (kept.length === 0) trial.problems.push('the first process kept nothing');
  const counts = shown();
  for (const partition of kept) {
    if (counts[partition]! > 0) continue;
    trial.problems.push(`partition ${partition} was kept, and showed nothing ${when}`);
  }
  return kept;
}

async function leaves(trial: Trial, guest: AppProcess): Promise<void> {
  await trial.recovered();
  await trial.stop(guest);
  await trial.recovered();
}

/** `stillMs`: for how long one of them showed nothing. */
function checkGoneOn(trial: Trial, what: 'a partition' | 'the job', stillMs: number): void {
  trial.gapsMs.push(stillMs);
  if (stillMs > WINDOW_MS) trial.problems.push(`${what} showed nothing for ${Math.round(stillMs)} ms`);
}

function checkSteady(trial: Trial, steady: AppProcess): void {
  if (steady.figures.rebuilds > 0) trial.problems.push('the first process had to begin again from its last commit');
}

/** The generation of the group, and what each static member has, in words. */
async function sharesOf(trial: Trial): Promise<string> {
  const { generation, tasks } = await trial.group();
  // a member id is the instance id and what the broker adds
  const shares = [...tasks].map(([id, share]) => `${id.split('-', 1)[0]}: ${[...share].sort().join(' ')}`).sort();
  return `generation ${generation}, ${shares.join(', ')}`;
}
