import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { counts, EventFeeder, expectedUpdates, topology } from './counting-job.fixture.ts';
import { during } from './let-pass.testing.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';

/** An application is run to the present end of its topics, and run until it is stopped, in turns. */
class Application {
  readonly clock = new VirtualClock(systemClock.now());
  readonly log: MemoryLog = createMemoryLog({ clock: this.clock, random: seededRandom(3) });
  #feeder: EventFeeder | undefined;

  async feed(records: number): Promise<void> {
    this.#feeder ??= await EventFeeder.open(this.log);
    await this.#feeder.feed(records);
  }

  start(until: RunSettings['until'], instanceId?: string): Promise<Run> {
    return this.during(
      startRun({
        program: topology.build(),
        log: this.log,
        state: createStateBackend({}),
        directory: undefined,
        clock: this.clock,
        telemetry: silentTelemetry(),
        settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 20, until, instanceId },
      }),
    );
  }

  async toEnd(): Promise<void> {
    const run = await this.start('end');
    assert.equal((await this.during(run.finished)).how, 'complete');
    await this.isCounted();
  }

  /** Everything that was fed is counted, once. */
  async isCounted(): Promise<void> {
    const updates = (await readTopic(this.log, counts)).map(({ key, value }) => `${key} ${value}`);
    assert.deepEqual(updates.sort(), expectedUpdates(this.#feeder!.fed));
  }

  /** A run that goes on counts everything by itself. */
  async counts(): Promise<void> {
    await this.until('all records to be counted', async () => {
      const [group] = await this.log.admin.groups(['counting']);
      return group!.positions.reduce((sum, { position }) => sum + position, 0) === this.#feeder!.fed;
    });
    await this.isCounted();
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const late = this.clock.monotonic() + 60_000;
    while (!(await condition())) {
      assert.ok(this.clock.monotonic() < late, `waited for ${what}`);
      this.clock.advance(5);
      await systemClock.turn();
    }
  }

  during<T>(work: Promise<T>): Promise<T> {
    return during(work, (isDone) => this.until('what was asked for', isDone));
  }
}

test('a run until it is stopped goes on behind one to the present end, and that behind it', async () => {
  const application = new Application();
  await application.feed(2000);
  await application.toEnd();
  for (let round = 0; round < 3; round++) {
    await application.feed(1000);
    const run = await application.start('drained');
    await application.counts();
    await application.feed(500);
    await application.counts();
    await application.during(run.drain());
    await application.feed(700);
    await application.toEnd();
  }
  const [first, second] = [await application.start('drained'), await application.start('drained')];
  await application.feed(1000);
  await application.counts();
  for (const run of [first, second]) await application.during(run.drain());
  await application.log.close();
});

test('a run to the present end that was cut short does not end what goes on behind it until it is stopped', async () => {
  const application = new Application();
  await application.feed(100_000);
  const cut = await application.start('end');
  await application.during(cut.drain());
  const left = cut.progress();
  assert.ok(left.records < 100_000, `${left.records} records`);
  const run = await application.start('drained');
  await application.counts();
  await application.feed(1000);
  await application.counts();
  await application.during(run.drain());
  await application.feed(1000);
  await application.toEnd();
  await application.log.close();
});

test('processes of one application that are to end differently do not run side by side', async () => {
  const application = new Application();
  await application.feed(1000);
  const endless = await application.start('drained');
  await application.counts();
  await assert.rejects(
    application.start('end'),
    (thrown) =>
      isFlowError(thrown, 'log.locked') &&
      /^counting runs until it is stopped: counting-.*; stop it first/.test(thrown.message),
  );
  await application.feed(1000);
  await application.counts();
  await application.during(endless.drain());
  await application.feed(100_000);
  const ending = await application.start('end');
  let how = '';
  void ending.finished.then((outcome) => {
    how = outcome.how;
  });
  const behind = await application.start('drained');
  assert.equal(how, 'complete', 'it waits for the other to end');
  await application.feed(1000);
  await application.counts();
  await application.during(behind.drain());
  await application.log.close();
});
