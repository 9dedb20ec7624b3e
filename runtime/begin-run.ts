import type { Ledger, TopicEnds } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { partitionName } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import { membersLeft } from './members-left.ts';
import type { PlanIndex } from './stage.ts';
import { writeLedger } from './write-ledger.ts';

export interface BeginParts {
  readonly log: Log;
  readonly index: PlanIndex;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/**
 * Begins a new bounded run where the last one is complete, or goes on with the one that was cut short or that another
 * process has begun. Answers whether it began one. One process at a time. Fails with `log.locked` where processes run
 * the application that are to go on until they are stopped: the ends would be theirs too.
 */
export async function beginRun(parts: BeginParts, toPresentEnd: boolean): Promise<boolean> {
  const { log, index, ledger } = parts;
  const { run } = ledger;
  if (run !== undefined && !run.complete && !run.endless) return false;
  if (run?.endless) {
    await checkAlone(parts, 'until it is stopped', 'stop it first, or leave out until `end`');
  }
  const ends: { [partition: string]: number } = {};
  if (toPresentEnd) {
    for (const stage of index.plan.stages) {
      for (const topic of index.externalTopics(stage)) {
        const { partitions } = index.topics.get(topic)!;
        for (let p = 0; p < partitions; p++) {
          ends[partitionName(topic, p)] = (await log.admin.bounds(topic, p)).stable;
        }
      }
    }
  }
  await writeRun(log, index.plan.name, ledger, { run: (run?.run ?? 0) + 1, complete: false, ends });
  return true;
}

/** Whether `beginEndless` has to begin a run behind a bounded one, which one process at a time may do. */
export function isBehindBounded(run: Ledger['run']): boolean {
  return run !== undefined && !run.endless;
}

/**
 * Begins a run that goes on until it is stopped, unless one has begun: behind a bounded one it is another, since who has
 * ended there goes on here. Fails with `log.locked` where processes are at the bounded one.
 */
export async function beginEndless(parts: BeginParts): Promise<void> {
  const { log, index, ledger } = parts;
  const { run } = ledger;
  if (run?.endless) return;
  if (run !== undefined && !run.complete) {
    const cure = 'wait until that is complete, stop it, or take part with until `end`';
    await checkAlone(parts, 'to the present end of its topics', cure);
  }
  // the first is none of those that are counted: positions that were committed before belong to it
  const number = run === undefined ? 0 : run.run + 1;
  await writeRun(log, index.plan.name, ledger, { run: number, complete: false, ends: {}, endless: true });
}

/** Says in the ledger that the run is complete, whoever ran it. */
export async function completeRun(log: Log, application: string, ledger: Ledger): Promise<void> {
  const { run, complete, ends } = ledger.run!;
  if (!complete) await writeRun(log, application, ledger, { run, complete: true, ends });
}

async function checkAlone({ log, index, clock }: BeginParts, how: string, cure: string): Promise<void> {
  const { name } = index.plan;
  const members = await membersLeft(log, name, clock);
  if (members.length === 0) return;
  throw new FlowError('log.locked', `${name} runs ${how}: ${members.join(', ')}; ${cure}`);
}

interface NewRun {
  readonly run: number;
  readonly complete: boolean;
  readonly ends: TopicEnds;
  readonly endless?: boolean;
}

async function writeRun(log: Log, application: string, ledger: Ledger, row: NewRun): Promise<void> {
  await writeLedger(log, application, ledger.runRow(row));
  const isThere = () => ledger.run?.run === row.run && ledger.run.complete === row.complete;
  while (!isThere()) await ledger.poll(1000);
}
