import { type Ledger, ledgerTopic, type TopicEnds } from '../checkpoints/checkpoints.ts';
import { isFlowError } from '../core/errors.ts';
import { partitionName } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { PlanIndex } from './stage.ts';

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

/** How often a row of the run is written until the log has answered. */
const ATTEMPTS = 3;

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
  const row = ledger.runRow(run, complete, ends);
  const key = Buffer.from(row.key);
  const value = Buffer.from(JSON.stringify(row.value));
  for (let left = ATTEMPTS; ; left--) {
    const builder = new BatchBuilder(new Step());
    builder.append(row.at, key, 0, key.length, value, 0, value.length);
    const producer = await log.producer({});
    try {
      await producer.append(ledgerTopic(application), 0, builder.finish());
      break;
    } catch (thrown) {
      // a row may stand there twice: the newest counts, and says the same
      if (!isFlowError(thrown, 'log.timeout') || left <= 1) throw thrown;
    } finally {
      await producer.close();
    }
  }
  while (ledger.run?.run !== run || ledger.run.complete !== complete) await ledger.poll(1000);
}
