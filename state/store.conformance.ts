import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Random, randomInt, seededRandom } from '../core/random.ts';
import type { StateBackend } from './state.ts';
import { type Operation, OracleTask, TABLES } from './store-oracle.ts';

export interface StoreUnderTest {
  readonly name: string;
  readonly onDisk: boolean;
  create(): StateBackend;
}

/** What every store must do, told against plain maps under random schedules. */
export function storeConformance(store: StoreUnderTest, seeds: number): void {
  const seen = { misses: 0, crashes: 0, coldReads: 0, evictions: 0, replayed: 0, stale: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    test(`${store.name}: equals a map under random steps, cuts, commits, crashes and evictions (seed ${seed})`, () =>
      inFolder(store, (directory) => randomRun(store, directory, seed, seen)));
  }
  test(`${store.name}: the random schedules reach what they are for`, () => {
    const { crashes, replayed, ...cold } = seen;
    assert.ok(crashes > 0 && replayed > 0, JSON.stringify(seen));
    for (const [what, count] of Object.entries(cold)) assert.equal(count > 0, store.onDisk, `${what}: ${count}`);
  });
}

export async function inFolder(
  store: StoreUnderTest,
  run: (directory: string | undefined) => Promise<void>,
): Promise<void> {
  if (!store.onDisk) return run(undefined);
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  try {
    await run(join(folder, 'task'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function randomRun(
  store: StoreUnderTest,
  directory: string | undefined,
  seed: number,
  seen: OracleTask['seen'],
): Promise<void> {
  const random = seededRandom(seed);
  const backend = store.create();
  const tiny = store.onDisk && seed % 4 !== 0;
  const task = new OracleTask(backend, directory, tiny ? 3000 * (seed % 4) : 1e9, random);
  await task.open();
  const keys = Array.from({ length: 12 + seed * 7 }, () => randomBytes(random, randomInt(random, 3) === 0 ? 30 : 3));
  let writing: Promise<void> = Promise.resolve();
  for (let turn = 0; turn < 400; turn++) {
    task.clock.advance(10);
    const between = randomInt(random, 3) === 0 ? () => task.writeNow(operations(random, keys, true)) : undefined;
    await task.record(operations(random, keys, false), randomInt(random, 4) > 0, between);
    const dice = randomInt(random, 40);
    if (dice < 8 && task.uncommitted < 2) task.cut();
    else if (dice < 18 && task.uncommitted > 0) task.commit();
    else if (dice < 23) writing = task.state.writeBack();
    else if (dice < 25) await task.state.writeBack();
    else if (dice === 26) await writing.then(() => task.crash());
    else if (dice === 27) await task.check();
  }
  await writing;
  await task.check();
  await task.crash();
  await task.check();
  await task.close();
  await backend.close();
  assert.equal(task.budget.usedBytes, 0, 'a closed state takes no memory');
  for (const what of Object.keys(seen) as (keyof typeof seen)[]) seen[what] += task.seen[what];
}

function operations(random: Random, keys: readonly Buffer[], writesOnly: boolean): Operation[] {
  return Array.from({ length: 1 + randomInt(random, 6) }, () => {
    const spec = TABLES[randomInt(random, TABLES.length)]!;
    const kinds = writesOnly
      ? (['write', 'write', 'delete'] as const)
      : ([
          'find',
          'find',
          'update',
          'update',
          'update',
          'write',
          'write',
          'write',
          'delete',
          'scan',
          'last',
          'ahead',
        ] as const);
    const kind = randomInt(random, 60) === 0 ? 'drop' : kinds[randomInt(random, kinds.length)]!;
    return {
      kind,
      table: spec.name,
      pane: spec.windowed ? randomInt(random, 4) * 10 : 0,
      key: isRange(kind) && randomInt(random, 2) === 0 ? Buffer.alloc(0) : keys[randomInt(random, keys.length)]!,
      to: isRange(kind)
        ? randomInt(random, 2) === 0
          ? Buffer.alloc(0)
          : keys[randomInt(random, keys.length)]!
        : randomBytes(random, 60),
      count: kind === 'scan' ? randomInt(random, 30) : 1 + randomInt(random, 9),
    };
  });
}

function isRange(kind: Operation['kind']): boolean {
  return kind === 'scan' || kind === 'last';
}

function randomBytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: randomInt(random, most + 1) }, () => randomInt(random, 5) * 63));
}
