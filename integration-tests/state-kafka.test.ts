import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { say } from '../cli/testing.fixture.ts';
import { openEngine, type RunApplicationOptions, type Running, run } from '../cli/wire.ts';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { appendRecords } from '../runtime/append-records.testing.ts';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testBrokers } from './support/brokers.ts';

/** State on a real broker: asked while it is in use, compared with another plan, and carried over to one. */
const brokers = await testBrokers();

if (brokers !== undefined) {
  const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-state-kafka-'));
  const name = `state-${process.pid}`;
  const root = new URL('..', import.meta.url).href;
  const { addresses } = brokers;
  const engines = [0, 1].map((n) => openEngine({ brokers: addresses.brokers, directory: join(cwd, String(n)) }));
  const [engine, second] = (await Promise.all(engines)) as [Awaited<(typeof engines)[0]>, Awaited<(typeof engines)[0]>];
  after(async () => {
    await engine.close();
    await second.close();
    await brokers.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  const visits = topic(`${name}-visits`, { key: string(), value: int64(), partitions: 2 });
  const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
  const shop = (store: string) => {
    const app = topology(name);
    app.stream(visits).groupByKey().count({ store });
    return app;
  };
  const module = (store: string) => {
    const text = `import { int64, string, topic, topology as define } from '${root}index.ts';
export const topology = define('${name}');
topology.stream(topic('${name}-visits', { key: string(), value: int64(), partitions: 2 }))
  .groupByKey().count({ store: '${store}' });
`;
    writeFileSync(join(cwd, `${store}.mjs`), text);
    return `${store}.mjs`;
  };
  /** One visit of each key, on both partitions: whoever asks by key asks the one that Kafka's partitioner says. */
  const visit = () =>
    appendRecords(
      engine.log,
      visits,
      KEYS.map((key) => [key, 1, 1000]),
    );
  const until = async (done: () => Promise<boolean>) => {
    const isTransient = (thrown: unknown) => {
      if (!isFlowError(thrown, 'query.restoring') && !isFlowError(thrown, 'query.elsewhere')) throw thrown;
      return false;
    };
    while (!(await done().catch(isTransient))) await systemClock.sleep(20);
  };
  const start = (store: string, options: Partial<RunApplicationOptions> = {}) =>
    run(shop(store), { engine, ...options, settings: { commitIntervalMs: 40_000, ...options.settings } });
  const countsIn = ({ query }: Running, store: string, read: 'live' | 'committed') =>
    Promise.all(KEYS.map((key) => query.store<string, number>(store).get(key, { read })));
  const allAre = async (running: Running, store: string, read: 'live' | 'committed', count: number) =>
    (await countsIn(running, store, read)).every((each) => each === count);

  test('live rows are ahead of committed ones, in points and ranges', { timeout: 600_000 }, async () => {
    await engine.log.admin.create(visits.name, { partitions: 2 });
    await visit();
    const running = await start('counts');
    await until(() => allAre(running, 'counts', 'live', 1));
    // the first such question waits for a commit, and is the beginning of what is kept for the next ones
    await until(() => allAre(running, 'counts', 'committed', 1));
    await visit();
    await until(() => allAre(running, 'counts', 'live', 2));
    assert.ok(await allAre(running, 'counts', 'committed', 1));
    const range = (read: 'live' | 'committed') =>
      running.query.store<string, number>('counts').range('b', 'e', { read, limit: 3 });
    assert.deepEqual(await range('live'), [
      ['b', 2],
      ['c', 2],
      ['d', 2],
    ]);
    assert.deepEqual(await range('committed'), [
      ['b', 1],
      ['c', 1],
      ['d', 1],
    ]);
    await running.drain();
  });

  test('of two processes each names the other for what it does not have', { timeout: 600_000 }, async () => {
    const settings = { commitIntervalMs: 100 };
    const [one, other] = [await start('counts', { settings }), await start('counts', { settings, engine: second })];
    const asked = async (running: Running) => {
      const { query } = running;
      const told = KEYS.map((key) =>
        query
          .store<string, number>('counts')
          .get(key, { read: 'live' })
          .then(String, (thrown) => (isFlowError(thrown, 'query.elsewhere') ? thrown.message : 'restoring')),
      );
      return Promise.all(told);
    };
    const named = /^partition \d of store counts belongs to task \S+, which process (\S+) runs; ask that$/;
    await until(async () => {
      const [here, there] = [await asked(one), await asked(other)];
      return KEYS.every((_, i) => [here[i]!, there[i]!].some((each) => each === '2') && here[i] !== there[i]);
    });
    const members = (await engine.log.admin.groups()).find(({ group }) => group === name)!.members;
    const seen = [...(await asked(one)), ...(await asked(other))].flatMap((each) => named.exec(each)?.[1] ?? []);
    assert.deepEqual([...new Set(seen)].sort(), [...members].sort());
    await Promise.all([one.drain(), other.drain()]);
  });

  test('a plan is compared with the one that ran there, and its store renamed with its rows', {
    timeout: 600_000,
  }, async () => {
    const env = { NODEFLOW_BROKERS: addresses.brokers };
    const diff = (...args: readonly string[]) => say(cwd, ['plan', 'diff', ...args], env);
    const same = await diff(module('counts'));
    assert.deepEqual([same.code, same.out], [0, ['the plans are the same: all state carries over']]);
    const renamed = await diff(module('totals'), '--rename', 'counts=totals');
    assert.equal(renamed.code, 0, renamed.err.join('\n'));
    assert.match(renamed.out.join('\n'), /^store totals: renamed from counts, .* rebuilt from that \(\d+ records\)$/m);
    const anew = await diff(module('totals'));
    assert.match(anew.out.join('\n'), /^store totals: /m);
    await visit();
    const running = await start('totals', { renames: { counts: 'totals' } });
    await until(() => allAre(running, 'totals', 'live', 3));
    await until(() => allAre(running, 'totals', 'committed', 3));
    await running.drain();
    const done = await diff(module('totals'));
    assert.deepEqual([done.code, done.out], [0, ['the plans are the same: all state carries over']]);
  });
}
