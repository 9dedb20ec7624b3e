import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { setFailpointHook } from '../core/failpoints.ts';
import { seededRandom } from '../core/random.ts';
import { assertExact } from '../integration-tests/crash/exact.ts';
import { counts, KEYS, topology } from '../integration-tests/crash/topology.ts';
import type { LogReader, ReaderOptions } from '../log/log.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { eachRecord } from './each-record.ts';
import { DEFAULT_SETTINGS, type RunSettings, startRun } from './runtime.ts';

interface RunTold {
  readonly how: string;
  /** Log lines, as JSON. */
  readonly lines: readonly string[];
  /** Changelog records applied when tasks with stores were opened; the others hold their progress alone. */
  readonly restored: number;
}

type StopWhen = (log: MemoryLog) => Promise<boolean>;

/** Every partition has 2000 counts, of 6000 or more: one for each record taken by its task with stores. */
const underWay: StopWhen = async (log) => {
  const all = Array.from({ length: counts.partitions }, (_, partition) => log.admin.bounds(counts.name, partition));
  return (await Promise.all(all)).every(({ end }) => end >= 2000);
};

/**
 * Runs the crash job on a log that outlives the runs; with `stopWhen` it is drained when that is so, and takes so few
 * records at a time that it cannot have come to its end before somebody looks.
 */
async function runJob(
  log: MemoryLog,
  directory: string,
  { stopWhen, settings = {} }: { readonly stopWhen?: StopWhen; readonly settings?: Partial<RunSettings> } = {},
): Promise<RunTold> {
  const lines: string[] = [];
  const telemetry = createTelemetry({ form: 'json', sink: { write: (line) => void lines.push(line) }, process: false });
  const state = createStateBackend({});
  const run = await startRun({
    program: topology.build(),
    log,
    state,
    directory,
    clock: systemClock,
    telemetry,
    settings: {
      ...{ ...DEFAULT_SETTINGS, commitIntervalMs: 5, writeBackMs: 10 },
      ...{ sliceRecords: stopWhen === undefined ? 500 : 50, ...settings },
    },
  });
  let ended = false;
  const finished = run.finished.finally(() => {
    ended = true;
  });
  while (stopWhen !== undefined && !ended && !(await stopWhen(log))) await systemClock.turn();
  if (stopWhen !== undefined && !ended) await run.drain();
  const { how } = await finished.finally(() => state.close());
  if (stopWhen !== undefined) assert.equal(how, 'drained', 'the run has ended before it was to stop');
  let restored = 0;
  for (const { name, labels, values } of telemetry.snapshot()) {
    if (name === 'nodeflow_restore_records_total' && labels['task']!.startsWith('source')) restored += values[0]!;
  }
  return { how, lines, restored };
}

async function withJob(work: (log: MemoryLog, directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-restore-'));
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(9) });
  try {
    await work(log, directory);
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A log whose readers get one batch at a time, and do something before each. */
function readsSlowly(log: MemoryLog, before: (topic: string) => Promise<void>): MemoryLog {
  return new Proxy(log, {
    get(target, name) {
      if (name !== 'reader') {
        const found: unknown = Reflect.get(target, name);
        return typeof found === 'function' ? found.bind(target) : found;
      }
      return (options: ReaderOptions): LogReader => {
        const reader = target.reader({ ...options, maxPartitionBytes: 1 });
        let topics: readonly string[] = [];
        return new Proxy(reader, {
          get(inner, method) {
            if (method === 'assign') {
              return (partitions: Parameters<LogReader['assign']>[0]) => {
                topics = partitions.map(({ topic }) => topic);
                inner.assign(partitions);
              };
            }
            if (method === 'fetch') {
              return async (...args: Parameters<LogReader['fetch']>) => {
                for (const topic of topics) await before(topic);
                return inner.fetch(...args);
              };
            }
            const found: unknown = Reflect.get(inner, method);
            return typeof found === 'function' ? found.bind(inner) : found;
          },
        });
      };
    },
  });
}

async function recordsIn(log: MemoryLog, topic: string): Promise<number> {
  let records = 0;
  const { partitions } = (await log.admin.describe(topic))!.settings;
  for (let partition = 0; partition < partitions; partition++)
    await eachRecord(log, topic, partition, () => void records++);
  return records;
}

const storesOf = (directory: string) => join(directory, 'crash', '0', 'stores');
const tasksOf = (directory: string) => readdirSync(storesOf(directory));

/** Flips every eighth byte of the files of a task whose names fit. */
function damage(directory: string, task: string, files: RegExp): number {
  const folder = join(storesOf(directory), task);
  let damaged = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!files.test(name) || statSync(path).size < 16) continue;
    const bytes = readFileSync(path);
    for (let i = 0; i < bytes.length; i += 8) bytes[i]! ^= 0xff;
    writeFileSync(path, bytes);
    damaged++;
  }
  return damaged;
}

test('a warm restart replays at most what was not written back', { timeout: 240_000 }, () =>
  withJob(async (log, directory) => {
    const first = await runJob(log, directory, { stopWhen: underWay });
    assert.equal(first.how, 'drained');
    const warm = await runJob(log, directory);
    assert.equal(warm.how, 'complete');
    assert.equal(warm.restored, 0, 'a drained run leaves nothing to replay');
    await assertExact(log);
  }),
);

test('behind a crash only the tail of the changelogs is replayed', { timeout: 240_000 }, () =>
  withJob(async (log, directory) => {
    let [commits, writes] = [0, 0];
    setFailpointHook((name) => {
      // those of all tasks, however slow the disk is: what is written back is not of the first commits alone
      if (name === 'store.written' && commits >= 30) writes++;
      if (name === 'commit.published' && ++commits >= 40 && writes >= 20) throw new Error('crash');
    });
    // no row is written back after the crash: the epoch of that moment is in the log alone
    const settings = { sliceRecords: 50, commitIntervalMs: 1, writeBackMs: 1 };
    await assert.rejects(runJob(log, directory, { settings }), /crash/).finally(() => setFailpointHook(undefined));
    const changelogs = (await log.admin.list()).filter((topic) =>
      /changelog|progress\.source|source.*progress/.test(topic),
    );
    let written = 0;
    for (const topic of changelogs) {
      const { partitions } = (await log.admin.describe(topic))!.settings;
      for (let p = 0; p < partitions; p++) written += (await log.admin.bounds(topic, p)).end;
    }
    const warm = await runJob(log, directory);
    assert.ok(warm.restored > 0 && warm.restored < written / 2, `${warm.restored} of ${written} records`);
    await assertExact(log);
  }),
);

test('a state folder deleted between runs is rebuilt from the changelog', { timeout: 240_000 }, () =>
  withJob(async (log, directory) => {
    await runJob(log, directory, { stopWhen: underWay });
    rmSync(storesOf(directory), { recursive: true });
    const cold = await runJob(log, directory);
    assert.ok(cold.restored >= KEYS, `${cold.restored} records restored`);
    assert.ok(cold.lines.some((line) => line.includes('state restored')));
    await assertExact(log);
  }),
);

test(
  'changelogs that are compacted again and again while they are read give the same state',
  { timeout: 240_000 },
  () =>
    withJob(async (log, directory) => {
      await runJob(log, directory, { stopWhen: underWay });
      rmSync(storesOf(directory), { recursive: true });
      const changelogs = (await log.admin.list()).filter((topic) => topic.endsWith('.changelog'));
      let removed = 0;
      const compacting = readsSlowly(log, async (topic) => {
        if (!changelogs.includes(topic)) return;
        const before = await recordsIn(log, topic);
        log.compact(topic);
        removed += before - (await recordsIn(log, topic));
      });
      const cold = await runJob(compacting, directory);
      assert.ok(cold.restored >= KEYS, `${cold.restored} records restored`);
      assert.ok(removed > 0, 'compaction found nothing to remove');
      await assertExact(log);
    }),
);

test('a state folder with damaged files is set aside, rebuilt, and said', { timeout: 240_000 }, () =>
  withJob(async (log, directory) => {
    await runJob(log, directory, { stopWhen: underWay });
    const tasks = tasksOf(directory).filter((task) => task.startsWith('source'));
    for (const task of tasks) assert.ok(damage(directory, task, /^(MANIFEST|CURRENT|.*\.sst|.*\.log)/) > 1);
    const after = await runJob(log, directory);
    assert.equal(after.how, 'complete');
    const told = after.lines.filter((line) => /is corrupt .* moved to .*corrupt-1.*rebuilt/.test(line));
    // tasks that have ended already are not opened again
    assert.ok(told.length > 0, after.lines.join(''));
    assert.equal(tasksOf(directory).filter((name) => name.endsWith('.corrupt-1')).length, told.length);
    assert.ok(after.restored > 0);
    await assertExact(log);
  }),
);

for (const files of [/\.sst$/, /\.log$/]) {
  test(`damage in files ${files} alone, found sooner or later, changes no result`, { timeout: 240_000 }, () =>
    withJob(async (log, directory) => {
      // so little memory that rows are read back from the damaged files
      const settings = { stateBytes: 1 };
      await runJob(log, directory, { stopWhen: underWay, settings });
      for (const task of tasksOf(directory)) damage(directory, task, files);
      assert.equal((await runJob(log, directory, { settings })).how, 'complete');
      await assertExact(log);
    }),
  );
}

test(
  'a store that would be rebuilt from a changelog which has lost records ends the run, until newer stores are there',
  {
    timeout: 240_000,
  },
  () =>
    withJob(async (log, directory) => {
      const changelog = 'nf.crash.running.changelog';
      const partitions = [0, 1, 2, 3];
      const endsNow = () => Promise.all(partitions.map(async (p) => (await log.admin.bounds(changelog, p)).end));
      const put = (from: string, to: string) => {
        rmSync(to, { recursive: true, force: true });
        cpSync(from, to, { recursive: true });
      };
      const [older, newer] = [`${directory}-older`, `${directory}-newer`];
      try {
        await runJob(log, directory, { stopWhen: underWay });
        const ends = await endsNow();
        put(storesOf(directory), older);
        const grown = async () => (await endsNow()).flatMap((end, p) => (end > ends[p]! + 1 ? [p] : []));
        const stopWhen = async () => (await grown()).length > 0;
        // in small steps, so that it is stopped before it is complete
        const again = await runJob(log, directory, { stopWhen, settings: { sliceRecords: 50 } });
        assert.equal(again.how, 'drained');
        put(storesOf(directory), newer);
        for (const p of await grown()) await log.admin.deleteRecords(changelog, p, ends[p]! + 1);
        for (const stores of [older, undefined]) {
          if (stores === undefined) rmSync(storesOf(directory), { recursive: true });
          else put(stores, storesOf(directory));
          await assert.rejects(
            runJob(log, directory),
            (thrown) => isFlowError(thrown, 'state.incomplete') && thrown.message.includes(changelog),
          );
        }
        put(newer, storesOf(directory));
        assert.equal((await runJob(log, directory)).how, 'complete');
        await assertExact(log);
      } finally {
        for (const folder of [older, newer]) rmSync(folder, { recursive: true, force: true });
      }
    }),
);
