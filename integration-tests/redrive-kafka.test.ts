import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Said, say } from '../cli/testing.fixture.ts';
import { openEngine } from '../cli/wire.ts';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom, uniqueId } from '../core/random.ts';
import { openRecordLetters, type RecordLetter } from '../runtime/runtime.ts';
import { testBrokers } from './support/brokers.ts';

/** Dead letters on a real broker: sent once each, by processes that are killed, and by several at once. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-redrive-kafka-'));
const root = new URL('..', import.meta.url).href;
const main = fileURLToPath(new URL('cli/main.ts', root));
const brokers = await testBrokers();
const id = uniqueId().slice(0, 8);
const [application, numbers] = [`tens-${id}`, `numbers-${id}`];
const COUNT = 2000;
after(async () => {
  await brokers?.close();
  rmSync(cwd, { recursive: true, force: true });
});

writeFileSync(
  join(cwd, 'tens.mjs'),
  `import { json, string, topic, topology as define } from '${root}index.ts';
export const topology = define('${application}');
topology.stream(topic('${numbers}', { key: string(), value: json(), partitions: 3 })).mapValues((n) => {
  if (n >= 10) throw new Error(n + ' is too much');
  return n;
}).to(topic('small-${id}', { key: string(), value: json(), partitions: 1 }));
`,
);

if (brokers !== undefined) {
  const env = { NODEFLOW_BROKERS: brokers.addresses.brokers };
  const done = async (args: readonly string[], input: readonly string[] = []): Promise<Said> => {
    const said = await say(cwd, args, env, input);
    assert.equal(said.code, 0, said.err.join('\n'));
    return said;
  };

  /** Ids of the letters whose records stand in the topic, each as often as it does. */
  const sent = async (): Promise<readonly string[]> => {
    const { out } = await done(['consume', numbers, '--json']);
    return out.flatMap((line) => JSON.parse(line).headers?.['nf.redriven'] ?? []);
  };

  const everyLetter = async (): Promise<readonly RecordLetter[]> => {
    const engine = await openEngine({ brokers: env.NODEFLOW_BROKERS });
    const letters = openRecordLetters({ log: engine.log, clock: systemClock });
    const rows: RecordLetter[] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page = await letters.list({ application, limit: 500, ...(next === undefined ? {} : { after: next }) });
      rows.push(...page.rows);
      next = page.next;
    }
    await engine.close();
    return rows;
  };

  const redriving = (): ChildProcess =>
    spawn(process.execPath, [main, 'dead-letters', 'redrive', '--log', '--application', application, '--yes'], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  const ended = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => child.once('exit', (code) => resolve(code)));

  test('S2.2.d: letters are each sent once, by processes that are killed and begun anew, and by three at once', {
    timeout: 600_000,
  }, async (t) => {
    const engine = await openEngine({ brokers: env.NODEFLOW_BROKERS });
    await engine.log.admin.create(numbers, { partitions: 3 });
    await engine.close();
    const lines = Array.from({ length: COUNT }, (_, n) => `{"key":"k${n}","value":${10 + n}}\n`);
    await done(['produce', numbers], lines);
    await done(['run', 'tens.mjs', '--until', 'end', '--set', 'run.onFailure=dead-letter']);
    const letters = await everyLetter();
    assert.equal(letters.length, COUNT);
    const random = seededRandom(7);
    let kills = 0;
    for (; kills < 4; kills++) {
      const child = redriving();
      const told = new Promise<void>((resolve) => child.stdout!.once('data', () => resolve()));
      const end = ended(child);
      // at its start, or as soon as a page of it is done
      await Promise.race([kills % 2 === 0 ? told : systemClock.sleep(800 + randomInt(random, 900)), end]);
      child.kill('SIGKILL');
      await end;
    }
    const before = new Set(await sent()).size;
    const three = [redriving(), redriving(), redriving()];
    for (const child of three) child.stdout!.resume();
    assert.deepEqual(await Promise.all(three.map(ended)), [0, 0, 0]);
    const ids = await sent();
    t.diagnostic(`${before} of ${COUNT} were sent before the last three began`);
    assert.ok(before < COUNT, 'something was left to do for those');
    assert.deepEqual(ids.toSorted(), letters.map((letter) => letter.id).toSorted());
    assert.ok((await everyLetter()).every(({ redriven }) => redriven?.times === 1));
  });
}
