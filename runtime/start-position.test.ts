import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { Step } from '../core/step.ts';
import {
  createTelemetry,
  type Engine,
  int64,
  isFlowError,
  openEngine,
  run,
  string,
  topic,
  topology,
} from '../index.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { RunSettings } from './runtime.ts';

/** Records are deleted that an application has yet to read. */
const of = (name: string) => topic(name, { key: string(), value: int64(), partitions: 1 });
const [from, to] = [of('from'), of('to')];
const app = topology('copier');
app
  .stream(from)
  .mapValues((n) => n)
  .to(to);
type Policy = RunSettings['onLostPosition'];

async function append(engine: Engine, first: number, count: number): Promise<void> {
  const step = new Step();
  const out = new ByteWriter();
  const producer = await engine.log.producer({});
  for (let n = first; n < first + count; n++) {
    const builder = new BatchBuilder(step);
    step.begin();
    out.clear();
    from.keySerde.encode('k', out);
    const middle = out.at;
    from.valueSerde.encode(n, out);
    builder.append(n, out.bytes, 0, middle, out.bytes, middle, out.at);
    step.settle();
    await producer.append(from.name, 0, Buffer.from(builder.finish()));
  }
  await producer.close();
}

async function opened() {
  const lines: string[] = [];
  const telemetry = createTelemetry({ level: 'error', form: 'json', sink: { write: (line) => lines.push(line) } });
  const engine = await openEngine({ log: 'memory', telemetry });
  for (const { name } of [from, to]) await engine.log.admin.create(name, { partitions: 1 });
  await append(engine, 0, 10);
  const start = (onLostPosition?: Policy, more: Partial<RunSettings> = {}) =>
    run(app, { engine, settings: { ...(onLostPosition === undefined ? {} : { onLostPosition }), ...more } });
  const values = async () => (await readTopic(engine.log, to)).map(({ value }) => Number(value));
  const until = async (count: number) => {
    while ((await values()).length < count) await engine.clock.sleep(5);
  };
  return { engine, lines, start, values, until };
}

/** Ten records are copied, then of thirty more the first ten are deleted while nobody reads. */
async function lost() {
  const world = await opened();
  const running = await world.start();
  await world.until(10);
  await running.drain();
  await append(world.engine, 10, 30);
  await world.engine.log.admin.deleteRecords(from.name, 0, 20);
  return world;
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

test('records that are gone end the run by default, with the bounds', { timeout: 240_000 }, async () => {
  const { engine, start } = await lost();
  const running = await start();
  await assert.rejects(running.finished, (thrown: Error) => {
    assert.ok(isFlowError(thrown, 'log.range'), String(thrown));
    assert.match(thrown.message, /from\/0/);
    return true;
  });
  await engine.close();
});

test('with earliest it goes on with the first that there is, and says what is gone', { timeout: 240_000 }, async () => {
  const { engine, lines, start, values, until } = await lost();
  const running = await start('earliest');
  await until(30);
  await running.drain();
  assert.deepEqual(await values(), [...range(0, 10), ...range(20, 20)]);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /position 10 of from\/0 is not within 20 to 40: 10 positions .* gone.* on at 20.*earliest/);
  await engine.close();
});

test('with latest it goes on with what comes, and says what is gone', { timeout: 240_000 }, async () => {
  const { engine, lines, start, values, until } = await lost();
  const running = await start('latest');
  while (lines.length === 0) await engine.clock.sleep(5);
  await append(engine, 40, 5);
  await until(15);
  await running.drain();
  assert.deepEqual(await values(), [...range(0, 10), ...range(40, 5)]);
  assert.match(lines[0]!, /on at 40.*latest/);
  await engine.close();
});

test('what is deleted under a run that is behind is left out, and the rest comes once', {
  timeout: 240_000,
}, async () => {
  const { engine, lines, start, values, until } = await opened();
  await append(engine, 10, 2000);
  // each record is a batch, and so few are held that most are yet to be fetched
  const running = await start('earliest', { intakeRecords: 1, intakeBytes: 1, commitIntervalMs: 5 });
  await until(5);
  await engine.log.admin.deleteRecords(from.name, 0, 1990);
  while ((await values()).at(-1) !== 2009) await engine.clock.sleep(5);
  await running.drain();
  const found = await values();
  assert.deepEqual(
    found,
    [...new Set(found)].sort((a, b) => a - b),
  );
  assert.ok(found.length < 2010, 'nothing was left out');
  assert.match(lines[0]!, /on at 1990/);
  await engine.close();
});
