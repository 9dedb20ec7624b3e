import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Clock, systemClock, VirtualClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { BudgetShare } from './budget-share.ts';
import { counts, EventFeeder, expectedUpdates, PARTITIONS, topology } from './counting-job.fixture.ts';
import { eachRecord } from './each-record.ts';
import { during } from './let-pass.testing.ts';
import { listTasks } from './list-tasks.ts';
import { storeFolder, tableSpecs } from './open-state.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';
import { PlanIndex } from './stage.ts';
import { Standby } from './standby.ts';

const CHANGELOG = 'nf.counting.by-key.changelog';

/** One process of the application, in a folder of its own. */
interface Member {
  readonly run: Run;
  readonly telemetry: Telemetry;
  readonly lines: readonly string[];
}

class Application {
  readonly log: MemoryLog;
  readonly clock: Clock;
  readonly feeder: EventFeeder;
  readonly #folder: string;
  readonly #pass: () => void;

  private constructor(log: MemoryLog, clock: Clock, pass: () => void, folder: string, feeder: EventFeeder) {
    this.log = log;
    this.clock = clock;
    this.#pass = pass;
    this.#folder = folder;
    this.feeder = feeder;
  }

  static async with(
    work: (application: Application) => Promise<void>,
    clock: Clock | VirtualClock = new VirtualClock(systemClock.now()),
  ): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'nodeflow-standby-'));
    const log = createMemoryLog({ clock, random: seededRandom(3) });
    const pass = clock instanceof VirtualClock ? () => clock.advance(5) : () => undefined;
    const feeder = await EventFeeder.open(log);
    try {
      await work(new Application(log, clock, pass, folder, feeder));
    } finally {
      await feeder.close();
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async start(name: string, settings: Partial<RunSettings>, onDisk = true): Promise<Member> {
    const lines: string[] = [];
    const sink = { write: (line: string) => void lines.push(line) };
    const telemetry = createTelemetry({ level: 'info', form: 'json', sink, process: false });
    const starting = startRun({
      program: topology.build(),
      log: this.log,
      state: createStateBackend({}),
      directory: onDisk ? this.folderOf(name) : undefined,
      clock: this.clock,
      telemetry,
      settings: {
        ...{ ...DEFAULT_SETTINGS, commitIntervalMs: 20, writeBackMs: 50 },
        // stores on disk are closed in real time, of which much virtual time may pass
        ...{ sessionTimeoutMs: 600_000, ...settings },
      },
      module: { url: new URL('./counting-job.fixture.ts', import.meta.url).href, name: 'topology' },
    });
    return { run: await this.during(starting), telemetry, lines };
  }

  folderOf(name: string): string {
    return join(this.#folder, name);
  }

  stop({ run }: Member): Promise<void> {
    return this.during(run.drain());
  }

  /** Lets time pass until the condition holds. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const late = systemClock.monotonic() + 200_000;
    while (!(await condition())) {
      assert.ok(systemClock.monotonic() < late, `waited for ${what}`);
      this.#pass();
      await systemClock.turn();
    }
  }

  /** Lets time pass until something is done. */
  during<T>(work: Promise<T>): Promise<T> {
    return during(work, (isDone) => this.until('what was asked for', isDone));
  }

  /** All that was fed is counted. */
  async counted(): Promise<void> {
    await this.until('all records to be counted', async () => {
      const { positions } = (await this.log.admin.groups()).find(({ group }) => group === 'counting')!;
      return positions.reduce((sum, { position }) => sum + position, 0) === this.feeder.fed;
    });
  }

  /** How many tasks each member runs, sorted. */
  async tasks(): Promise<readonly number[]> {
    const group = (await this.log.admin.groups()).find((each) => each.group === 'counting')!;
    return [...group.tasks.values()].map((tasks) => tasks.length).sort();
  }

  /** Positions of the changelog of the counts. */
  async changelog(): Promise<number> {
    let end = 0;
    for (let p = 0; p < PARTITIONS; p++) end += (await this.log.admin.bounds(CHANGELOG, p)).end;
    return end;
  }

  /** Standbys have applied every record of the changelogs; of their lag they know only what they have heard. */
  async followed(members: readonly Member[]): Promise<void> {
    let written = 0;
    const count = () => void written++;
    for (const name of await this.log.admin.list()) {
      if (!/^nf\.counting\..*\.(changelog|progress)$/.test(name)) continue;
      for (let p = 0; p < PARTITIONS; p++) await eachRecord(this.log, name, p, count);
    }
    const applied = () => members.reduce((sum, member) => sum + followed(member), 0);
    await this.until(`standbys to apply ${written} records`, () => applied() >= written);
  }

  async assertExact(): Promise<void> {
    await this.counted();
    const updates = (await readTopic(this.log, counts)).map(({ key, value }) => `${key} ${value}`);
    assert.deepEqual(updates.sort(), expectedUpdates(this.feeder.fed));
  }
}

function total({ telemetry }: Member, name: string): number {
  let sum = 0;
  for (const row of telemetry.snapshot()) if (row.name === name) sum += row.values[0] ?? 0;
  return sum;
}

const restored = (member: Member) => total(member, 'nodeflow_restore_records_total');
const followed = (member: Member) => total(member, 'nodeflow_standby_records_total');
/** Holds standbys of so many tasks, all of them at the end of their changelogs. */
const holds = (tasks: number) => (member: Member) => {
  const { standbys } = member.run.progress();
  return standbys.tasks === tasks && standbys.lag === 0;
};

test('when an owner goes away its standby takes over, and applies no more than the tail', { timeout: 600_000 }, () =>
  Application.with(async (application) => {
    const { feeder } = application;
    // what a standby has it leaves on disk when it ends, and not before
    const settings = { standbys: 1, writeBackMs: 3_600_000 };
    const first = await application.start('a', settings);
    const second = await application.start('b', settings);
    await application.until('the work to be shared', async () => String(await application.tasks()) === '2,2');
    await feeder.feed(20_000);
    await application.counted();
    await application.until('the standbys', () => [first, second].every(holds(2)));
    await application.followed([first, second]);
    const written = await application.changelog();
    assert.ok(written > 5000, `${written} changelog records`);
    assert.ok(followed(first) > written / 4 && followed(second) > written / 4);
    assert.equal(restored(first) + restored(second), 0);
    assert.match(first.telemetry.exposition(), /nodeflow_standby_lag_records\{.*task="source\.events_\d".*\} 0/);
    await application.stop(second);
    await feeder.feed(2000);
    await application.assertExact();
    assert.deepEqual(await application.tasks(), [4]);
    assert.ok(restored(first) < 100, `${restored(first)} records restored`);
    assert.equal(first.run.progress().standbys.tasks, 0);

    const back = await application.start('b', settings);
    await application.until('the work to be shared', async () => String(await application.tasks()) === '2,2');
    await feeder.feed(2000);
    await application.assertExact();
    assert.ok(restored(back) < 3000, `${restored(back)} of ${await application.changelog()} records restored`);
    await application.until('the standbys', () => [first, back].every(holds(2)));
    await application.stop(first);
    await feeder.feed(1000);
    await application.assertExact();
    await application.stop(back);
  }),
);

test('a task moves to a process that joins when its state has caught up there, not before', { timeout: 600_000 }, () =>
  Application.with(async (application) => {
    const { feeder } = application;
    const settings = { acceptableLag: 100 };
    const first = await application.start('a', settings);
    await feeder.feed(40_000);
    await application.counted();
    const written = await application.changelog();
    // every second it tells what it holds; before, there is nothing to catch up with
    await application.during(application.clock.sleep(1000));
    const second = await application.start('b', settings);
    assert.deepEqual(await application.tasks(), [0, 4], 'nothing moves at once');
    await application.until('the move', async () => {
      const tasks = String(await application.tasks());
      if (tasks === '2,2') return true;
      // one may have caught up before the other
      assert.ok(tasks === '0,4' || tasks === '1,3', tasks);
      return false;
    });
    assert.ok(followed(second) > written / 4, `${followed(second)} of ${written} records were followed`);
    await feeder.feed(2000);
    await application.assertExact();
    assert.ok(restored(second) <= 2 * settings.acceptableLag, `${restored(second)} records restored`);
    assert.equal(second.run.progress().standbys.tasks, 0);
    const closed = first.lines.filter((line) => line.includes('task closed')).length;
    assert.equal(closed, 2, 'the others stayed open');
    for (const member of [first, second]) await application.stop(member);
  }),
);

test('a standby stays within its memory, and leaves the whole state on disk', { timeout: 600_000 }, () =>
  Application.with(async (application) => {
    const { feeder, log, clock } = application;
    const member = await application.start('a', {});
    await feeder.feed(20_000);
    await application.counted();
    await application.stop(member);
    const whole = { maxBytes: 800_000, usedBytes: 0 };
    const budget = new BudgetShare(whole, 1 / 8);
    const program = topology.build();
    const index = new PlanIndex(program.plan);
    const [spec] = await listTasks(program, index);
    const backend = createStateBackend({});
    const { telemetry } = member;
    const settings = { ...DEFAULT_SETTINGS, writeBackMs: 3_600_000 };
    const directory = application.folderOf('standby');
    const parts = { program, index, log, backend, directory, clock, telemetry, settings, step: new Step(), budget };
    const standby = await Standby.open(parts, spec!);
    const reader = log.reader({ isolation: 'committed', maxPartitionBytes: 4096 });
    reader.assign(standby.partitions);
    let most = 0;
    let rows = 0;
    while (standby.figures.at < standby.figures.end) {
      for (const fetched of await reader.fetch(0)) {
        rows += standby.take(fetched);
        fetched.release();
        most = Math.max(most, budget.usedBytes);
        await standby.writeBack();
        assert.ok(budget.usedBytes <= budget.maxBytes, `${budget.usedBytes} bytes`);
        assert.equal(whole.usedBytes, budget.usedBytes);
      }
    }
    assert.ok(most > budget.maxBytes, 'the bound was reached');
    assert.ok(rows > 1000, `${rows} rows`);
    const { at } = standby.figures;
    await standby.close();
    assert.equal(whole.usedBytes, 0);
    const tables = tableSpecs(program, index, index.stages.get(spec!.stage)!);
    const positions = await backend.look(storeFolder(directory, spec!.id), tables);
    assert.equal(
      [...positions!.values()].reduce((sum, position) => sum + position, 0),
      at,
    );
    await reader.close();
  }),
);

test('a process without stores on disk holds no standbys, and takes its tasks at once', { timeout: 600_000 }, () =>
  Application.with(async (application) => {
    const settings = { standbys: 1, acceptableLag: 100 };
    const first = await application.start('a', settings);
    await application.feeder.feed(10_000);
    await application.counted();
    const second = await application.start('b', settings, false);
    await application.until('the work to be shared', async () => String(await application.tasks()) === '2,2');
    await application.until('the standbys', () => holds(2)(first));
    assert.equal(second.run.progress().standbys.tasks, 0);
    await application.feeder.feed(1000);
    await application.assertExact();
    for (const member of [second, first]) await application.stop(member);
  }),
);

test('worker threads hold standbys, and tasks move between processes and between threads', { timeout: 600_000 }, () =>
  Application.with(async (application) => {
    const { feeder } = application;
    const settings = { standbys: 1, workers: 2 };
    const first = await application.start('a', settings);
    const second = await application.start('b', settings);
    await application.until('the work to be shared', async () => String(await application.tasks()) === '2,2');
    await feeder.feed(20_000);
    await application.counted();
    await application.until('the standbys', () => [first, second].every(holds(2)));
    await application.followed([first, second]);
    await application.stop(second);
    await feeder.feed(1000);
    await application.assertExact();
    await application.until('figures of the threads', () => restored(first) > 0 || first.run.health().ready);
    assert.ok(restored(first) < 1000, `${restored(first)} records restored`);
    const back = await application.start('b', settings);
    await application.until('the work to be shared', async () => String(await application.tasks()) === '2,2');
    await feeder.feed(1000);
    await application.assertExact();
    for (const member of [first, back]) await application.stop(member);
  }, systemClock),
);
