import type { RunSettings } from '../../runtime/runtime.ts';
import type { AppProcess } from './app-process.ts';
import type { Row } from './rows.ts';
import type { Trial } from './trial.ts';

/** With so little lag that a task moves only to a process that has followed it. */
const WITH_STANDBYS: Partial<RunSettings> = { standbys: 1, acceptableLag: 1000 };
const PROCESSES = [0, 1, 2];
/**
 * What a standby that has caught up may still have to apply when its task comes, well below what there is: so many, or
 * this share of what was done. Of its lag it knows what it has heard, which on a busy machine is a while ago.
 */
const MOST_RESTORED = 2000;
const MOST_SHARE = 0.2;

/** Every process of several is ended and started again, one after the other, while records come. */
async function roll(
  trial: Trial,
  repeats: number,
  { settings = WITH_STANDBYS, signal }: { settings?: Partial<RunSettings>; signal: 'SIGTERM' | 'SIGKILL' },
): Promise<void> {
  const apps: AppProcess[] = [];
  for (const slot of PROCESSES) apps.push(await trial.start({ slot, settings }));
  for (const app of apps) await trial.works(app);
  for (let i = 0; i < repeats * PROCESSES.length; i++) {
    const slot = i % PROCESSES.length;
    await trial.within(allFollow(apps), 'every standby to catch up');
    const others = apps.filter((app) => app !== apps[slot]);
    const before = restoredBy(others);
    trial.fault(apps[slot]!, signal);
    await apps[slot]!.whenEnded();
    await trial.recovered();
    const restored = restoredBy(others) - before;
    if (restored > Math.max(MOST_RESTORED, MOST_SHARE * doneBy(apps))) {
      trial.problems.push(`others restored ${restored} records to take over from process ${slot}`);
    }
    apps[slot] = await trial.start({ slot, settings });
    await trial.works(apps[slot]);
  }
  await trial.recovered();
}

/** Each process holds standbys, and they are not far behind. */
async function allFollow(apps: readonly AppProcess[]): Promise<void> {
  const follows = ({ figures: { standbys } }: AppProcess) => standbys.tasks > 0 && standbys.lag < 1000;
  while (!apps.every(follows)) {
    for (const app of apps) if (!(await app.until(follows))) throw new Error(`process ${app.pid} ended by itself`);
  }
}

function doneBy(apps: readonly AppProcess[]): number {
  return apps.reduce((sum, { figures }) => sum + figures.records, 0);
}

function restoredBy(apps: readonly AppProcess[]): number {
  return apps.reduce((sum, { figures }) => sum + figures.restored, 0);
}

export const STANDBY_ROWS: readonly Row[] = [
  {
    id: 'standby stop',
    title: 'three processes with standbys, stopped and started again one after another',
    worlds: ['kafka'],
    short: 1,
    repeats: 5,
    run: (trial, repeats) => roll(trial, repeats, { signal: 'SIGTERM' }),
  },
  {
    id: 'standby kill',
    title: 'three processes with standbys, killed and started again one after another',
    worlds: ['kafka'],
    repeats: 5,
    run: (trial, repeats) => roll(trial, repeats, { signal: 'SIGKILL' }),
  },
  {
    id: 'standby threads',
    title: 'three processes of two threads with standbys, stopped and started again one after another',
    worlds: ['kafka'],
    repeats: 3,
    run: (trial, repeats) => roll(trial, repeats, { signal: 'SIGTERM', settings: { ...WITH_STANDBYS, workers: 2 } }),
  },
];
