import { randomInt } from '../../core/random.ts';
import { type ActiveRule, type ApiName, type Frame, KAFKA_ERROR, type Rule } from '../proxy/proxy.ts';
import type { AppProcess } from './app-process.ts';
import type { Row } from './rows.ts';
import type { Trial } from './trial.ts';

const NETWORK = { worlds: ['kafka'], needs: ['faults', 'retries'] } as const satisfies Partial<Row>;
/** What goes to the coordinator of a group. */
const OF_THE_GROUP = ['joinGroup', 'syncGroup', 'heartbeat', 'leaveGroup', 'txnOffsetCommit'] as const;
/** What a broker says that cannot keep a batch as it should. */
const REFUSED = [
  KAFKA_ERROR.notEnoughReplicas,
  KAFKA_ERROR.notEnoughReplicasAfterAppend,
  KAFKA_ERROR.kafkaStorageError,
];
/**
 * What a process may grow by while no broker answers: less than what may be held and fetched, and V8's young generation,
 * which grows as long as nothing makes V8 collect all of its heap.
 */
const GROWTH_BYTES = (64 + 3 * 16) * 1024 * 1024;

/** Does something to the network again and again while one process works, and waits each time until it goes on. */
async function disturb(trial: Trial, repeats: number, fault: (trial: Trial, app: AppProcess) => Promise<void>) {
  let app = await trial.start();
  await trial.works(app, 5);
  for (let i = 0; i < repeats; i++) {
    if (app.end !== undefined) app = await trial.start();
    await fault(trial, app);
    await trial.recovered();
  }
}

/** Adds a rule, waits until it has fired, and counts that. */
async function fire(trial: Trial, rule: Rule): Promise<ActiveRule> {
  const active = trial.proxy.add(rule);
  await trial.within(active.whenFired(rule.times ?? 1), `the rule "${rule.name}" to fire`);
  trial.faults += active.fired;
  return active;
}

/** What the rule held back is on its way to the broker now. */
function arrived(trial: Trial, { rule, released }: ActiveRule): void {
  if (released === 0) trial.problems.push(`the rule "${rule.name}" held nothing back`);
}

/** The answer of a request is lost with its connection, and long after the retry the same request comes once more. */
function lateTwin(api: ApiName) {
  return async (trial: Trial) => {
    let first: Frame | undefined;
    const twin = trial.proxy.add({
      name: `${api} again`,
      api,
      direction: 'request',
      where(frame) {
        first ??= frame;
        return true;
      },
      action: { do: 'repeat' },
    });
    const lost = trial.proxy.add({
      name: `${api} answer`,
      api,
      direction: 'answer',
      where: (frame) => frame === first,
      action: { do: 'cut' },
    });
    await trial.within(lost.whenFired(), `an answer of ${api}`);
    trial.faults++;
    await trial.clock.sleep(20 + randomInt(trial.random, 300));
    twin.remove();
    arrived(trial, twin);
    lost.remove();
  };
}

/** A request is held on its way while its client gives up and asks again elsewhere; then it arrives after all. */
function lateArrival(api: ApiName) {
  return async (trial: Trial) => {
    const late = trial.proxy.add({ name: `${api} late`, api, direction: 'request', action: { do: 'delay' } });
    await trial.within(late.whenFired(), `a request of ${api}`);
    trial.faults++;
    // the connection breaks, so the client need not wait for its timeout
    trial.proxy.cutClients();
    await trial.clock.sleep(20 + randomInt(trial.random, 500));
    late.remove();
    arrived(trial, late);
  };
}

/** No broker for a minute. */
async function outlast(trial: Trial, app: AppProcess): Promise<void> {
  const { rssBytes } = app.figures;
  let most = 0;
  trial.faults++;
  await trial.brokers.kill(1);
  await trial.within(
    app.until(({ figures }) => figures.degraded),
    'the process to say that it is degraded',
  );
  for (let i = 0; i < 60; i++) {
    await trial.clock.sleep(1000);
    most = Math.max(most, app.figures.rssBytes);
    if (!app.figures.degraded) trial.problems.push(`it says that it is well, with no broker for ${i} s`);
  }
  if (app.wasIll) trial.problems.push('it says that it is ill, though it only waits');
  if (most - rssBytes > GROWTH_BYTES) trial.problems.push(`it grew from ${rssBytes} bytes to ${most}`);
  await trial.brokers.start(1);
  await trial.within(
    app.until(({ figures }) => !figures.degraded),
    'the process to say that it is well again',
  );
}

/** Kills the broker that leads or coordinates most, for the three in turn; the others go on without it. */
async function killInTurn(trial: Trial, repeats: number): Promise<void> {
  let app = await trial.start();
  await trial.works(app, 5);
  for (let i = 0; i < repeats; i++) {
    if (app.end !== undefined) app = await trial.start();
    const broker = 1 + (i % trial.brokers.count);
    trial.faults++;
    await trial.brokers.kill(broker);
    await trial.recovered();
    await trial.brokers.start(broker);
    await trial.clock.sleep(5000);
  }
}

export const NETWORK_ROWS: readonly Row[] = [
  {
    ...NETWORK,
    id: '17 kill',
    brokers: 3,
    title: 'of three brokers each killed in turn: leaders and coordinators move',
    repeats: 6,
    run: killInTurn,
  },
  {
    ...NETWORK,
    id: '15',
    title: 'the broker killed and started again',
    repeats: 3,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        await trial.brokers.kill(1);
        await trial.brokers.start(1);
      }),
  },
  {
    ...NETWORK,
    id: '15 clean',
    title: 'the broker stopped and started again',
    repeats: 3,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        await trial.brokers.stop(1);
        await trial.brokers.start(1);
      }),
  },
  {
    ...NETWORK,
    id: '16',
    title: 'all brokers away for 60 s: it waits, degraded and not ill, in bounded memory',
    repeats: 1,
    run: (trial, repeats) => disturb(trial, repeats, outlast),
  },
  {
    ...NETWORK,
    id: '16 hung',
    title: 'all brokers stopped for 20 s with their connections open',
    repeats: 1,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        trial.brokers.pause(1);
        await trial.clock.sleep(20_000);
        trial.brokers.resume(1);
      }),
  },
  {
    ...NETWORK,
    id: '17',
    title: 'the proxy answers that another broker leads',
    short: 3,
    repeats: 50,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        const action = { do: 'fail', error: KAFKA_ERROR.notLeader } as const;
        const rule = await fire(trial, { name: 'not leader', api: 'produce', direction: 'request', action });
        rule.remove();
      }),
  },
  {
    ...NETWORK,
    id: '19 EndTxn',
    title: 'the answer of EndTxn lost, the same EndTxn comes again late',
    short: 10,
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateTwin('endTxn')),
  },
  {
    ...NETWORK,
    id: '19 EndTxn late',
    title: 'EndTxn held back behind its own retry',
    short: 10,
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateArrival('endTxn')),
  },
  {
    ...NETWORK,
    id: '19 offsets',
    title: 'the answer of TxnOffsetCommit lost, the same comes again late',
    short: 5,
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateTwin('txnOffsetCommit')),
  },
  {
    ...NETWORK,
    id: '19 offsets late',
    title: 'TxnOffsetCommit held back behind its own retry',
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateArrival('txnOffsetCommit')),
  },
  {
    ...NETWORK,
    id: '19 Produce',
    title: 'the answer of Produce lost, the same comes again late',
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateTwin('produce')),
  },
  {
    ...NETWORK,
    id: '19 Produce late',
    title: 'Produce held back behind its own retry',
    short: 5,
    repeats: 200,
    run: (trial, repeats) => disturb(trial, repeats, lateArrival('produce')),
  },
  {
    ...NETWORK,
    id: '20',
    title: 'cut off from the brokers for longer than the session',
    repeats: 3,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        const lift = trial.proxy.silence();
        await trial.clock.sleep(9000);
        lift();
      }),
  },
  {
    ...NETWORK,
    id: '20 coordinator',
    title: 'cut off from the coordinator of its group alone, for longer than the session',
    repeats: 3,
    needs: ['faults', 'rebuilds', 'joins'],
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        const rules = OF_THE_GROUP.map((api) =>
          trial.proxy.add({ name: `${api} lost`, api, direction: 'request', times: 10_000, action: { do: 'drop' } }),
        );
        await trial.clock.sleep(9000);
        for (const rule of rules) rule.remove();
      }),
  },
  {
    ...NETWORK,
    id: '21',
    title: 'connections that stay open and carry nothing',
    repeats: 3,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        trial.faults++;
        trial.proxy.silence()();
      }),
  },
  {
    ...NETWORK,
    id: '22',
    title: 'a transaction held for longer than its timeout',
    short: 1,
    repeats: 3,
    needs: ['faults', 'aborted', 'rebuilds', 'retries'],
    run: (trial, repeats) => {
      let isFirst = true;
      return disturb(trial, repeats, async () => {
        // whoever is fenced twice within 30 s gives way
        if (!isFirst) await trial.clock.sleep(20_000);
        isFirst = false;
        // every try is held, so that the transaction stays open until the broker aborts it; then all tries arrive
        const action = { do: 'hold' } as const;
        const rule = trial.proxy.add({ name: 'stalled', api: 'endTxn', direction: 'request', times: 1000, action });
        await trial.within(rule.whenFired(), 'an end');
        trial.faults++;
        await trial.clock.sleep(13_000);
        rule.remove();
      });
    },
  },
  {
    ...NETWORK,
    id: '23',
    title: 'another program takes the transactional id, again and again: the process gives way and names it',
    short: 1,
    repeats: 3,
    needs: ['faults', 'failures', 'fenced'],
    mayFail: /^log\.fenced: /,
    async run(trial, repeats) {
      for (let i = 0; i < repeats; i++) {
        const app = await trial.start();
        await trial.works(app);
        const id = await trial.transactionalId(0);
        while (app.end === undefined) {
          trial.faults++;
          await trial.withLog(async (log) => (await log.producer({ transactionalId: id })).close());
          await trial.clock.sleep(500);
        }
        if (app.failure?.includes(id) !== true) trial.problems.push(`it does not name ${id}: ${app.failure}`);
        if (app.end.code === 0) trial.problems.push('its exit code is 0');
      }
      await trial.start();
      await trial.recovered();
    },
  },
  {
    ...NETWORK,
    id: '24',
    title: 'too few replicas in sync, before and after the append, and a disk that fails, five times in a row each',
    short: 2,
    repeats: 20,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        for (const error of REFUSED) {
          const action = { do: 'fail', error } as const;
          const rule = await fire(trial, { name: 'refused', api: 'produce', direction: 'request', times: 5, action });
          rule.remove();
        }
      }),
  },
  {
    ...NETWORK,
    id: '18 late',
    title: 'the coordinators say that they are none, at EndTxn and at TxnOffsetCommit',
    short: 3,
    repeats: 50,
    run: (trial, repeats) =>
      disturb(trial, repeats, async () => {
        for (const api of ['endTxn', 'txnOffsetCommit'] as const) {
          const action = { do: 'fail', error: KAFKA_ERROR.notCoordinator } as const;
          const rule = await fire(trial, { name: 'not coordinator', api, direction: 'request', action });
          rule.remove();
        }
      }),
  },
];

/** Rows that mean something else where the broker cannot tell a late request from one of the transaction at hand. */
const OLD = ['4', '1 each', '19 EndTxn', '19 EndTxn late', '19 offsets late', '19 Produce late', '22'];

/** The same under transactions of before Kafka 4.0. */
export function oldProtocolRows(rows: readonly Row[]): readonly Row[] {
  return rows
    .filter(({ id }) => OLD.includes(id))
    .map(({ short: _, ...row }) => ({
      ...row,
      id: `old ${row.id}`,
      title: `${row.title}; transactions of before Kafka 4.0`,
      protocol: 'old',
      ...(row.id === '19 EndTxn late' ? { short: 5 } : {}),
    }));
}
