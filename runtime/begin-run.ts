import type { Ledger, TopicEnds } from '../checkpoints/checkpoints.ts';
import { partitionName } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import type { PlanIndex } from './stage.ts';
import { writeLedger } from './write-ledger.ts';

/**
 * Begins a new bounded run where the last one is complete, or goes on with the one that was cut short or that another
 * process has begun. Answers whether it began one. One process at a time.
 */
export async function beginRun(log: Log, index: PlanIndex, ledger: Ledger, toPresentEnd: boolean): Promise<boolean> {
  if (ledger.run !== undefined && !ledger.run.complete) return false;
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
  await writeRun(log, index.plan.name, ledger, (ledger.run?.run ?? 0) + 1, false, ends);
  return true;
}

/** Says in the ledger that the run is complete, whoever ran it. */
export async function completeRun(log: Log, application: string, ledger: Ledger): Promise<void> {
  const { run, complete, ends } = ledger.run!;
  if (!complete) await writeRun(log, application, ledger, run, true, ends);
}

async function writeRun(
  log: Log,
  application: string,
  ledger: Ledger,
  run: number,
  complete: boolean,
  ends: TopicEnds,
): Promise<void> {
  await writeLedger(log, application, ledger.runRow(run, complete, ends));
  while (ledger.run?.run !== run || ledger.run.complete !== complete) await ledger.poll(1000);
}
