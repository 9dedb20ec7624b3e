import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { DEFAULT_QUARANTINE } from './call-gate.ts';
import { ControlDriver } from './testing/control-driver.ts';
import { added, document, numberType } from './testing/small-documents.ts';

const INNOCENT = 100;
const SEEDS = 12;
const MINUTE = 60_000;
const { heldAfter } = DEFAULT_QUARANTINE;

interface World {
  readonly driver: ControlDriver;
  /** How many processes have ended. */
  readonly ends: number;
  /** By execution: how many processes have ended while it ran. */
  readonly struck: ReadonlyMap<string, number>;
}

/**
 * A hundred tasks and some that end the process which calls them, at once or a while later, in processes that follow each
 * other; each begins with what the one before has committed.
 */
async function run(random: Random, poisons: number): Promise<World> {
  let process = 0;
  let isOver = false;
  const running = new Set<string>();
  const struck = new Map<string, number>();
  const driver = await ControlDriver.open({
    documents: [
      document('kind', [['a', 'innocent', { n: 1 }]], []),
      document('evil', [['a', 'poison', { n: 1 }]], [], { a: { retry: { maxAttempts: 1 } } }),
    ],
    types: (clock) => {
      const inProcess = async <T>(execution: string, work: () => Promise<T>): Promise<T> => {
        running.add(execution);
        const here = process;
        try {
          return await work();
        } finally {
          if (here === process) running.delete(execution);
        }
      };
      return [
        numberType('innocent', {
          kind: 'task',
          run: (config, inputs, { execution }) =>
            inProcess(execution, async () => {
              await clock.sleep(randomInt(random, 400));
              return added(config, inputs);
            }),
        }),
        numberType('poison', {
          kind: 'task',
          run: (_, __, { execution }) =>
            inProcess(execution, async () => {
              const here = process;
              if (random.next() < 0.6) await clock.sleep(randomInt(random, 300));
              if (here === process) isOver = true;
              return await new Promise<never>(() => undefined);
            }),
        }),
      ];
    },
    slots: 1000,
    careful: true,
  });
  const evil = new Set<number>();
  while (evil.size < poisons) evil.add(randomInt(random, INNOCENT + poisons));
  for (let i = 0; i < INNOCENT + poisons; i++) driver.start(`x${i}`, evil.has(i) ? 'evil' : 'kind', i);
  for (let rounds = 0; rounds < 3000; rounds++) {
    await driver.settle();
    if (isOver) {
      for (const each of running) struck.set(each, (struck.get(each) ?? 0) + 1);
      isOver = false;
      running.clear();
      process++;
      await driver.crash();
      continue;
    }
    if (random.next() < 0.7) driver.commit();
    else if (await driver.next(driver.clock.now() + MINUTE)) continue;
    else if (driver.open === poisons && driver.held === poisons) break;
  }
  assert.equal(driver.open, poisons, 'all others have ended');
  return { driver, ends: process, struck };
}

for (const poisons of [1, 3]) {
  test(`S5.1.c: of 100 tasks beside ${poisons} that end each process, all complete, and only these are held`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { driver, ends, struck } = await run(seededRandom(seed), poisons);
      // one of them may be the first that a process calls, before it is known to whom
      assert.ok(ends <= heldAfter * poisons + 1, `seed ${seed}: ${ends} processes have ended`);
      let held = 0;
      for (let i = 0; i < INNOCENT + poisons; i++) {
        const execution = `x${i}`;
        const [start] = driver.of(execution)[0]!.events;
        if (start?.type === 'started' && start.workflow === 'kind') {
          assert.deepEqual(driver.ended(execution), { status: 'COMPLETED', output: { a: i + 1 } });
          continue;
        }
        held++;
        const failed = driver.of(execution).flatMap(({ events }) => events.filter((e) => e.type === 'attempt-failed'));
        assert.deepEqual(
          failed.map((each) => each.type === 'attempt-failed' && each.decision),
          [...Array<string>(heldAfter - 1).fill('retry'), 'hold'],
          `seed ${seed}: ${execution}`,
        );
        assert.ok((struck.get(execution) ?? 0) >= heldAfter - 1);
        driver.send(
          execution,
          { type: 'intervene', node: 'a', iteration: '', action: 'output', value: 'mended' },
          'ann',
        );
        driver.commit();
        assert.deepEqual(driver.ended(execution), { status: 'COMPLETED', output: { a: 'mended' } });
      }
      assert.equal(held, poisons);
    }
  });
}
