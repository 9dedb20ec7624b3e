import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { securityConformance } from '../kafka/security.conformance.ts';
import { createKafkaJsLog } from './kafkajs.ts';

test('a cluster that is not there is told by its address', async () => {
  const open = (brokers: string) =>
    createKafkaJsLog({ brokers, patienceMs: 1000, clock: systemClock, random: seededRandom(1) });
  await assert.rejects(open('127.0.0.1:1'), { code: 'kafka.unreachable' });
  await assert.rejects(open(''), { code: 'config.invalid' });
});

await securityConformance(createKafkaJsLog);
