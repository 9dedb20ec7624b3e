import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import type { Log, LogReader } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { appendRecords } from './append-records.testing.ts';
import { GlobalFeed } from './global-feed.ts';
import { rows, topology } from './global-job.fixture.ts';
import { PlanIndex } from './stage.ts';

/** What a feed uses of a log, which can go away, and how many of its readers are open. */
function withOutages(log: Log) {
  const outages = { away: false, refused: 0, asked: 0, open: 0 };
  const check = () => {
    if (!outages.away) return;
    outages.refused++;
    throw new FlowError('log.timeout', 'the log is away');
  };
  const reader = (...options: Parameters<Log['reader']>): Pick<LogReader, 'assign' | 'fetch' | 'close'> => {
    const inner = log.reader(...options);
    outages.open++;
    return {
      assign: (partitions) => inner.assign(partitions),
      async fetch(maxWaitMs, signal) {
        check();
        return inner.fetch(Math.min(maxWaitMs, 5), signal);
      },
      close() {
        outages.open--;
        return inner.close();
      },
    };
  };
  const bounds: Log['admin']['bounds'] = async (...at) => {
    check();
    outages.asked++;
    return log.admin.bounds(...at);
  };
  return { outages, log: { admin: { bounds }, reader } as unknown as Log };
}

test('a log that goes away leaves no reader open, and is read on from when it is back', {
  timeout: 240_000,
}, async () => {
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await memory.admin.create(rows.name, { partitions: rows.partitions });
  await appendRecords(memory, rows, [['a', 'first', 1]]);
  const { outages, log } = withOutages(memory);
  const telemetry = silentTelemetry();
  const parts = { clock: systemClock, budget: { maxBytes: 1e9, usedBytes: 0 }, telemetry, lines: telemetry.log };
  const open = () =>
    GlobalFeed.open({ ...parts, log, index: new PlanIndex(topology.build().plan), state: createStateBackend({}) });
  outages.away = true;
  await assert.rejects(open(), /the log is away/);
  assert.equal(outages.open, 0);

  outages.away = false;
  const feed = await open();
  assert.equal(outages.asked, rows.partitions, 'each partition is asked for once');
  feed.follow((failure) => assert.fail(String(failure)));
  outages.refused = 0;
  outages.away = true;
  while (outages.refused < 3) await systemClock.sleep(5);
  assert.ok(outages.open <= 1, `${outages.open} readers are open`);

  await appendRecords(memory, rows, [['b', 'second', 2]]);
  outages.away = false;
  const key = Buffer.from('b');
  while (!feed.tables.get('rows')!.find(0, key, 0, key.length)) await systemClock.sleep(5);
  assert.equal(outages.open, 1);
  await feed.close();
  assert.equal(outages.open, 0);
  await memory.close();
});
