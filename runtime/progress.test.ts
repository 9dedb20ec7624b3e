import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeptNumbers, progressTopic } from '../checkpoints/checkpoints.ts';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { randomTopology } from '../topology/random-topology.testing.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import { dyingLog } from './dying-log.testing.ts';
import { countOf } from './kept-counts.ts';
import { changelogOf, storeFolder, tableSpecs } from './open-state.ts';
import { DEFAULT_SETTINGS, eachRecord, startRun } from './runtime.ts';
import { PlanIndex } from './stage.ts';

const TIMEOUT = { timeout: 240_000 };

/** A process that is killed at this write, or that comes to the end of what there is; answers which. */
async function live(
  program: Program,
  log: Log,
  directory: string | undefined,
  kill: Parameters<typeof dyingLog>[1] | undefined,
): Promise<'killed' | 'complete'> {
  const dying = dyingLog(log, kill ?? { write: Number.POSITIVE_INFINITY, when: 'before' });
  const state = createStateBackend({ onUnavailable: assert.fail });
  try {
    const run = await startRun({
      ...{ program, log: dying.log, state, directory, clock: systemClock, telemetry: silentTelemetry() },
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 1, idleMs: 20, sliceRecords: 3, writeBackMs: 1, until: 'end' },
    });
    await run.finished;
    return 'complete';
  } catch (thrown) {
    if (kill === undefined) throw thrown;
    return 'killed';
  } finally {
    await dying.timedOut();
    await state.close();
  }
}

const opened = () => createMemoryLog({ clock: systemClock, random: seededRandom(1) });

/** The values that a name has had, as its records say one after the other. */
async function recorded(log: Log, name: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  if ((await log.admin.describe(name)) === undefined) return found;
  await eachRecord(log, name, 0, ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }, i) => {
    const key = bytes.toString('utf8', keyStarts[i]!, keyEnds[i]!);
    const value = KeptNumbers.recorded(bytes, valueStarts[i]!, valueEnds[i]!);
    found.set(key, [...(found.get(key) ?? []), value]);
  });
  return found;
}

const events = topic('events', { key: string(), value: int64(), partitions: 1 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 1 });
const COUNTING = topology('counting');
COUNTING.stream(events).groupByKey().count({ store: 'by-key' }).toStream().to(counts);

test(
  'hard-places 17: killed at each write, progress says of a task what its outputs and its positions say, in changed rows alone',
  TIMEOUT,
  async () => {
    const program = COUNTING.build();
    const records = 30;
    let kills = 0;
    for (let write = 1, isKilled = true; isKilled; write += 2) {
      isKilled = false;
      for (const when of ['before', 'after'] as const) {
        const log = opened();
        await log.admin.create(events.name, { partitions: 1 });
        await appendRecords(
          log,
          events,
          Array.from({ length: records }, (_, at) => ['k', 1, at] as const),
        );
        const stage = program.plan.stages[0]!.id;
        const check = async (): Promise<number> => {
          const [committed] = await log.committed('counting', [{ topic: events.name, partition: 0 }]);
          const position = committed?.position ?? 0;
          let out = 0;
          if ((await log.admin.describe(counts.name)) !== undefined) {
            await eachRecord(log, counts.name, 0, () => {
              out++;
            });
          }
          const progress = await recorded(log, progressTopic('counting', stage));
          assert.equal(out, position, 'outputs and positions');
          assert.equal(progress.get('stream-time')?.at(-1) ?? -1, position - 1, 'progress and positions');
          for (const [name, values] of progress) {
            assert.equal(countOf(name), undefined, 'counts are kept where they are asked for');
            for (let i = 1; i < values.length; i++) assert.notEqual(values[i], values[i - 1], name);
          }
          return position;
        };
        let before = 0;
        for (let life = 0; ; life++) {
          const how = await live(program, log, undefined, life < 3 ? { write, when } : undefined);
          if (how === 'killed') kills++;
          isKilled ||= how === 'killed';
          const position = await check();
          assert.ok(position >= before);
          before = position;
          if (how === 'complete') break;
        }
        assert.equal(before, records);
        await log.close();
      }
    }
    assert.ok(kills > 20, `${kills} kills`);
  },
);

test(
  'C.7 5: killed at random, no store on disk is ahead of what the log has committed, for random topologies',
  TIMEOUT,
  async () => {
    let [looked, behind, exact] = [0, 0, 0];
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed);
      const { topology: made, inputs } = randomTopology(seed);
      const program = made.build();
      const index = new PlanIndex(program.plan);
      const log = opened();
      const directory = mkdtempSync(join(tmpdir(), 'nodeflow-never-ahead-'));
      for (const input of inputs) {
        await log.admin.create(input.name, { partitions: input.partitions });
        const rows = Array.from({ length: 60 }, (_, i) => [`k${randomInt(random, 9)}`, { n: i }, i * 5000] as const);
        await appendRecords(log, input, rows);
      }
      const look = async (): Promise<void> => {
        const state = createStateBackend({});
        const slots = readdirSync(join(directory, program.plan.name)).map((slot) =>
          join(directory, program.plan.name, slot, 'stores'),
        );
        for (const stage of program.plan.stages.filter(({ stores }) => stores.length > 0)) {
          for (let partition = 0; partition < stage.partitions; partition++) {
            for (const slot of slots) {
              const folder = storeFolder(slot, `${stage.id}_${partition}`);
              const positions = await state.look(folder, tableSpecs(program, index, stage));
              for (const [table, position] of positions ?? []) {
                const { stable } = await log.admin.bounds(changelogOf(program.plan.name, stage, table), partition);
                assert.ok(position <= stable, `${stage.id}_${partition} ${table}: ${position} of ${stable}`);
                if (position > 0) looked++;
                if (position < stable) behind++;
                else exact++;
              }
            }
          }
        }
        await state.close();
      };
      for (let life = 0; ; life++) {
        const kill = { write: 1 + randomInt(random, 120), when: random.next() < 0.5 ? 'before' : 'after' } as const;
        const how = await live(program, log, directory, life < 5 ? kill : undefined);
        await look();
        if (how === 'complete') break;
      }
      await log.close();
      rmSync(directory, { recursive: true });
    }
    assert.ok(looked > 40 && behind > 5 && exact > 5, `${looked} stores, ${behind} of them behind`);
  },
);
