import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import {
  type Action,
  type ApiName,
  type Direction,
  KAFKA_ERROR,
  type Rule,
  startProxy,
} from '../../integration-tests/proxy/proxy.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { Members } from '../clients/members.ts';
import { Bench, batch } from '../conformance/bench.conformance.ts';
import type { Log, LogProducer } from '../log.ts';
import { endpoints } from './endpoint.ts';
import { createKafkaLog } from './kafka.ts';
import { loadLibrary } from './library.ts';
import { openCluster } from './open-cluster.ts';
import { openProducer } from './producer.ts';

const PATIENCE_MS = 20_000;
/** Of those who wait for its end. */
const SHORT_PATIENCE_MS = 4000;
const TRANSACTIONS = 9;

let port = 0;
const proxy = await startProxy(systemClock, [{ broker: 1, port: () => port }]);
const advertise = `127.0.0.1:${proxy.ports[0]}`;
const brokers = await testBrokers({ own: true, advertise: [advertise] });
port = Number(brokers?.addresses.brokers.split(':')[1] ?? 0);
after(async () => {
  await proxy.close();
  await brokers?.close();
});

const open = (patienceMs = PATIENCE_MS) =>
  createKafkaLog({ brokers: advertise, patienceMs, clock: systemClock, random: seededRandom(1) });

let runs = 0;

/**
 * Writes transactions that carry their number as a position, as the engine does: after a failure whose outcome is not
 * known, a new producer of the id decides it, and the position tells where to go on. At the end each stands there once.
 */
async function writesOnce(
  log: Log,
  at: (transaction: number) => Promise<void> | void = () => undefined,
): Promise<void> {
  const name = `faults-${process.pid}-${systemClock.now()}-${++runs}`;
  await log.admin.create(name, { partitions: 2 });
  const bench = new Bench({ log, clock: systemClock, close: async () => undefined });
  const { member } = await bench.join({ group: name });
  const input = { topic: name, partition: 0 };
  const options = { transactionalId: name, transactionTimeoutMs: 10_000 };
  let producer = await log.producer(options);
  let done = 0;
  let failures = 0;
  while (done < TRANSACTIONS) {
    await at(done);
    try {
      await transaction(producer, name, done);
      await producer.sendPositions(member.identity, [{ ...input, position: done + 1, metadata: '' }]);
      await producer.commit();
      done++;
    } catch (thrown) {
      assert.ok(isFlowError(thrown, 'log.timeout') || isFlowError(thrown, 'log.aborted'), String(thrown));
      assert.ok(++failures < 5, 'it fails again and again');
      await producer.abort().catch(() => undefined);
      await producer.close();
      producer = await log.producer(options);
      done = (await log.committed(name, [input]))[0]?.position ?? 0;
    }
  }
  const all = Array.from({ length: TRANSACTIONS }, (_, i) => i);
  const both = all.flatMap((i) => [`${i}a`, `${i}b`]);
  await bench.shows(name, both, 'committed', 0);
  await bench.shows(name, all.map(String), 'committed', 1);
  await producer.close();
  await member.leave();
}

async function transaction(producer: LogProducer, topic: string, number: number): Promise<void> {
  producer.begin();
  await Promise.all([
    producer.append(topic, 0, batch(`k=${number}a`)),
    producer.append(topic, 0, batch(`k=${number}b`)),
    producer.append(topic, 1, batch(`k=${number}`)),
  ]);
}

interface Row {
  readonly api: ApiName;
  readonly direction: Direction;
  readonly action: Action;
  readonly skip: number;
}

const actions: readonly Pick<Row, 'direction' | 'action'>[] = [
  { direction: 'request', action: { do: 'cut' } },
  { direction: 'request', action: { do: 'cut', deliver: true } },
  { direction: 'answer', action: { do: 'cut' } },
  { direction: 'answer', action: { do: 'hold', forMs: 200 } },
  { direction: 'request', action: { do: 'repeat', afterMs: 5 } },
];
const refusals: readonly [ApiName, number][] = [
  ['produce', KAFKA_ERROR.notLeader],
  ['produce', KAFKA_ERROR.notEnoughReplicas],
  ['produce', KAFKA_ERROR.concurrentTransactions],
  ['endTxn', KAFKA_ERROR.notCoordinator],
  ['endTxn', KAFKA_ERROR.concurrentTransactions],
];

/** What makes an outcome unknown, or comes late. */
const unsure = actions.filter(({ action: { do: what } }) => what === 'repeat' || what === 'cut').slice(1);
/**
 * In the old protocol the next transaction has the same epoch: a second copy of a request whose answer had come, which
 * no client of ours sends, would end that one, or put its positions back. Copies that we send, the answer having been
 * lost, are followed by another epoch.
 */
const OLD_CANNOT: readonly ApiName[] = ['endTxn', 'txnOffsetCommit'];

function rows(apis: readonly ApiName[], acts: typeof actions): readonly Row[] {
  return [
    ...apis
      .flatMap((api) => acts.map((row) => ({ ...row, api, skip: api === 'initProducerId' ? 0 : 4 })))
      .filter(
        // The first request of a producer takes over from whoever is there; a late copy takes over from itself.
        ({ api, action }) => api !== 'initProducerId' || action.do !== 'repeat',
      ),
    ...refusals.map(([api, error]) => ({
      api,
      direction: 'request' as const,
      action: { do: 'fail' as const, error },
      skip: 4,
    })),
  ];
}

async function withRule(openLog: () => Promise<Log>, rule: Rule, work: (log: Log) => Promise<void>): Promise<void> {
  const log = await openLog();
  const active = proxy.add(rule);
  try {
    await work(log);
    assert.ok(active.fired > 0, 'nothing happened to it');
  } finally {
    proxy.clear();
    await log.close();
  }
}

function countOnce(
  what: string,
  openLog: () => Promise<Log>,
  apis: readonly ApiName[],
  acts: typeof actions = actions,
  isMeant: (row: Row) => boolean = () => true,
): void {
  for (const { api, direction, action, skip } of rows(apis, acts).filter(isMeant)) {
    test(`${what}: ${api} ${direction} ${JSON.stringify(action)}`, { timeout: 240_000 }, async () => {
      // some copies fall between two transactions: many are sent
      const times = action.do === 'repeat' ? TRANSACTIONS : 2;
      const rule = { name: api, api, direction, action, skip, times };
      await withRule(openLog, rule, (log) => writesOnce(log));
    });
  }
}

/** A log whose producers speak the old protocol, which the brokers still understand. */
async function openOld(patienceMs = PATIENCE_MS): Promise<Log> {
  const log = await open(patienceMs);
  const cluster = await openCluster({
    bootstrap: endpoints(advertise),
    clientId: 'old',
    security: { tls: undefined, sasl: undefined },
    patienceMs,
    replication: undefined,
    clock: systemClock,
    random: seededRandom(1),
    library: await loadLibrary(),
  });
  const old = new Proxy(cluster, {
    get(target, name) {
      if (name === 'transactionVersion') return 0;
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
  const parts = { cluster: old, members: new Members(), limitOf: async () => undefined, check: () => undefined };
  return {
    capabilities: log.capabilities,
    admin: log.admin,
    reader: (options) => log.reader(options),
    producer: (options) => openProducer(parts, options),
    join: (options) => log.join(options),
    committed: (group, partitions) => log.committed(group, partitions),
    async close() {
      await cluster.close();
      await log.close();
    },
  };
}

if (brokers !== undefined) {
  countOnce('once', open, ['produce', 'txnOffsetCommit', 'endTxn', 'initProducerId']);
  const old = ['produce', 'addPartitionsToTxn', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn'] as const;
  countOnce('once, old protocol', openOld, old, unsure, ({ api, action }) => {
    return action.do !== 'repeat' || !OLD_CANNOT.includes(api);
  });

  for (const [protocol, openLog] of [
    ['repaired', open],
    ['old', openOld],
  ] as const) {
    for (const api of ['produce', 'endTxn'] as const) {
      test(`once, ${protocol} protocol: the connection of ${api} falls silent for longer than patience`, async () => {
        const rule: Rule = { name: api, api, direction: 'answer', action: { do: 'silence' }, skip: 3, times: 2 };
        await withRule(
          () => openLog(SHORT_PATIENCE_MS),
          rule,
          (log) => writesOnce(log),
        );
      });
    }
  }

  test('once: the broker crashes and comes back', { timeout: 240_000 }, async () => {
    const log = await createKafkaLog({
      brokers: advertise,
      patienceMs: 60_000,
      clock: systemClock,
      random: seededRandom(1),
    });
    let back: Promise<void> | undefined;
    try {
      await writesOnce(log, async (transaction) => {
        if (transaction !== 4 || back !== undefined) return;
        await brokers.kill(1);
        back = brokers.start(1);
      });
      await back;
    } finally {
      await log.close();
    }
  });
}
