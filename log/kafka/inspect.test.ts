import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import type { Finding, Log } from '../log.ts';
import { createKafkaLog } from './kafka.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

function open(aheadMs: Millis, replication?: number): Promise<Log> {
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const place = { brokers: brokers!.addresses.brokers, ...(replication === undefined ? {} : { replication }) };
  return createKafkaLog({ ...place, clock, random: seededRandom(1) });
}

async function inspect(aheadMs: Millis, replication?: number): Promise<ReadonlyMap<string, Finding>> {
  const log = await open(aheadMs, replication);
  const topic = `inspect-${process.pid}-${systemClock.now()}`;
  if (replication === undefined) await log.admin.create(topic, { partitions: 2 });
  const findings = await log.inspect!([topic, `${topic}-absent`]);
  await log.close();
  return new Map(findings.map((finding) => [finding.check.replace(topic, 'it'), finding]));
}

if (brokers !== undefined) {
  test('a cluster tells its brokers, versions, copies and the time of its controller', async () => {
    const found = await inspect(0);
    assert.deepEqual(
      [...found].map(([check, { state }]) => `${check}: ${state}`),
      [
        'Security: ok',
        'Broker 1: ok',
        'Versions: ok',
        'Transactions: ok',
        'Copies: ok',
        'Clock: ok',
        'Copies of it: ok',
      ],
    );
    assert.match(found.get('Clock')!.found, /that of controller 1 is within 10 s of ours/);
    assert.match(found.get('Copies of it')!.found, /^1, all in step$/);
  });

  test('a clock that is off, and copies that cannot be, are bad, with their cure', async () => {
    const clock = (await inspect(60_000)).get('Clock')!;
    assert.equal(clock.state, 'bad');
    assert.match(clock.found, /that of controller 1 is [56]\d{4} ms behind ours; set both by NTP/);
    assert.match((await inspect(-60_000)).get('Clock')!.found, /is \d{5} ms ahead of ours/);
    const copies = (await inspect(0, 3)).get('Copies')!;
    assert.equal(copies.state, 'bad');
    assert.match(
      copies.found,
      /kafka\.replication is 3 where there are 1 brokers; add brokers, or ask for fewer copies/,
    );
  });

  test('whoever is about to work is refused where the clocks are far apart, and told the cure', async () => {
    for (const [aheadMs, side] of [
      [60_000, 'behind'],
      [-3_600_000, 'ahead of'],
    ] as const) {
      const log = await open(aheadMs);
      await assert.rejects(log.checkClock!(), (thrown: unknown) => {
        assert.ok(isFlowError(thrown, 'kafka.clock'));
        assert.match(thrown.message, new RegExp(`controller 1 is \\d+ ms ${side} ours; set both by NTP`));
        return true;
      });
      await log.close();
    }
    for (const aheadMs of [0, 8000, -8000]) {
      const log = await open(aheadMs);
      await log.checkClock!();
      await log.close();
    }
  });
}
