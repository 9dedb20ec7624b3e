import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { Members } from '../clients/members.ts';
import { FakeCoordinator } from './coordinator.fixture.ts';
import { loadLibrary } from './library.ts';
import { Transaction } from './transaction.ts';

const SEEDS = 1000;
const PARTITIONS = 3;
const TRANSACTIONS = 8;

/**
 * One producer, transaction after transaction, as the appender and the worker drive it: what has no answer is sent again,
 * nothing is sent before the transaction before is complete, and a commit has an answer for all that it commits.
 */
async function drive(protocol: 'repaired' | 'old', seed: number): Promise<void> {
  const random = seededRandom(seed * 7919);
  const chance = (share: number) => random.next() < share;
  const log = new FakeCoordinator(await loadLibrary(), protocol, seed);
  for (let partition = 0; partition < PARTITIONS; partition++) log.partition(partition);
  const open = () =>
    Transaction.open({
      ...{ cluster: log.cluster(), members: new Members(), transactionalId: 'id', timeoutMs: 10_000 },
      writes: { topics: ['t'] },
    });
  let transaction = await open();
  const decided = new Map<string, boolean>();
  let last = -1;
  for (let n = 0; n < TRANSACTIONS; n++) {
    const records: string[] = [];
    // whoever takes the id over is told by the coordinator how the last one was decided, and nothing of those before
    if (chance(0.3) && log.open().every((record) => record.startsWith(`${last}/`))) {
      log.losing = chance(0.5) ? 0.5 : 0;
      transaction = await open();
      log.losing = 0;
    }
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (chance(0.3)) continue;
      const record = `${n}/${partition}`;
      records.push(record);
      transaction.touch();
      const mostTries = chance(0.2) ? randomInt(random, 3) : Number.POSITIVE_INFINITY;
      for (let tries = 0; tries < mostTries; tries++) {
        log.losing = chance(0.2) ? 0.5 : 0;
        if (!transaction.isLastComplete) await transaction.completeLast();
        log.losing = 0;
        if (protocol === 'old') {
          await transaction.admit('t', partition);
          if (!transaction.isLastComplete) continue;
        }
        if (chance(0.2) || log.unnoticed) {
          // the request is lost, or comes late, or its answer is lost
          const { producerEpoch } = transaction.stamp;
          const send = () => log.produce(partition, producerEpoch, record);
          if (chance(0.3) && !log.unnoticed) send();
          else if (chance(0.5) && protocol === 'repaired') log.late.push(send);
          transaction.unsure();
          log.pulse.broke();
          log.unnoticed = false;
          continue;
        }
        assert.ok(log.produce(partition, transaction.stamp.producerEpoch, record), `${record} is refused`);
        transaction.accepted();
        break;
      }
      if (mostTries < Number.POSITIVE_INFINITY) decided.set(record, false);
    }
    // one without an answer keeps the whole from being committed
    const commit = records.length > 0 && !records.some((record) => decided.has(record)) && chance(0.6);
    log.losing = chance(0.4) ? 0.5 : 0;
    await transaction.end(commit);
    if (records.length > 0) last = n;
    log.losing = 0;
    for (const record of records) decided.set(record, commit);
  }
  log.pulse.broke();
  await transaction.completeLast();
  assert.ok(transaction.isLastComplete);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { stored } = log.partition(partition);
    assert.deepEqual(
      stored.filter(({ state }) => state === 'open'),
      [],
      'something is left open',
    );
    const committed = stored.filter(({ state }) => state === 'committed').map(({ record }) => record);
    const wanted = [...decided]
      .filter(([record, isIn]) => isIn && record.endsWith(`/${partition}`))
      .map(([record]) => record);
    assert.deepEqual(committed, wanted, `partition ${partition}`);
  }
}

for (const protocol of ['repaired', 'old'] as const) {
  test(`${protocol} protocol: whatever markers are lost, each record is as its transaction was decided, once`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await drive(protocol, seed).catch((thrown: unknown) => {
        throw new Error(`seed ${seed}`, { cause: thrown });
      });
    }
  });
}
