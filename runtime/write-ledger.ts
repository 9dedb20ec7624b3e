import { type LedgerRow, ledgerTopic } from '../checkpoints/checkpoints.ts';
import { isFlowError } from '../core/errors.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';

/** How often a row is written until the log has answered. */
const ATTEMPTS = 3;

/** Writes a row that belongs to no task into the ledger. */
export async function writeLedger(log: Log, application: string, row: LedgerRow): Promise<void> {
  const key = Buffer.from(row.key);
  const value = Buffer.from(JSON.stringify(row.value));
  for (let left = ATTEMPTS; ; left--) {
    const builder = new BatchBuilder(new Step());
    builder.append(row.at, key, 0, key.length, value, 0, value.length);
    const producer = await log.producer({});
    try {
      await producer.append(ledgerTopic(application), 0, builder.finish());
      return;
    } catch (thrown) {
      // a row may stand there twice: the newest counts, and says the same
      if (!isFlowError(thrown, 'log.timeout') || left <= 1) throw thrown;
    } finally {
      await producer.close();
    }
  }
}
