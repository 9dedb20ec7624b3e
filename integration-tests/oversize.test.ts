import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { generator, int64, openEngine, type RunSettings, run, string, topic, topology } from '../index.ts';
import { deadLetterTopic } from '../runtime/runtime.ts';
import { readTopic } from './support/read-topic.ts';

const COUNT = 20;
const LARGE = 7;
// topics that the engine makes take 8 MiB
const KEYED = { key: string(), partitions: 1 } as const;
const numbers = topic('numbers', { ...KEYED, value: int64() });
const texts = topic('texts', { ...KEYED, value: string() });

/** One of the results is larger than brokers take. */
async function complete(onFailure: RunSettings['onFailure']) {
  const app = topology('oversize');
  app
    .read(generator({ count: COUNT, make: (n) => n }), {
      ...{ name: 'made', key: (n) => `k${n}`, keySerde: string(), value: int64(), time: (n) => n },
    })
    .to(numbers);
  app
    .stream(numbers)
    .mapValues((n) => 'x'.repeat(Number(n) === LARGE ? 9 << 20 : 10))
    .to(texts);
  const engine = await openEngine({ log: 'memory' });
  try {
    await (await run(app, { engine, settings: { until: 'end', onFailure } })).finished;
    const dead = await engine.log.admin.bounds(deadLetterTopic('oversize'), 0);
    return { texts: await readTopic(engine.log, texts), dead: dead.end - dead.start };
  } finally {
    await engine.close();
  }
}

test('a record that becomes larger than its topic takes ends the run by name, or goes among the dead letters alone', async () => {
  await assert.rejects(complete('fail'), (thrown: Error) => {
    assert.ok(isFlowError(thrown, 'record.failed') || isFlowError(thrown, 'log.oversize'), String(thrown));
    assert.match(thrown.message, /numbers\/0 position 7.* topic texts: raise its max\.message\.bytes/);
    return true;
  });
  const { texts: written, dead } = await complete('dead-letter');
  assert.deepEqual(
    written.map(({ key }) => key),
    Array.from({ length: COUNT }, (_, n) => `k${n}`).filter((key) => key !== `k${LARGE}`),
  );
  assert.ok(dead > 0);
});
