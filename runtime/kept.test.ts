import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { BatchBuilder } from '../log/batch.ts';
import { type GroupDescription, type Log, type LogProducer, partitionForKey } from '../log/log.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { createStateBackend, type StateBackend } from '../state/state.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { counts, events, expectedUpdates, PARTITIONS, topology } from './counting-job.fixture.ts';
import { holdingBack } from './holding-back.fixture.ts';
import { during } from './let-pass.testing.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';

/**
 * What a process keeps while another comes or goes. Time is virtual: an answer of the log takes up to 20 ms of it, the
 * closing of a store a second, the restore of a task three; whatever else the machine does takes none.
 */
const LONGEST_PAUSE_MS = 200;
const ANSWER_MS = 20;
const CLOSING_MS = 1000;
const RESTORE_MS = 3000;
const FEED_EVERY_MS = 10;
/** What is ready runs so often before time goes on by a millisecond. */
const TURNS = 20;
const CHANGELOG = 'nf.counting.by-key.changelog';

interface Member {
  readonly run: Run;
  /** Of `nodeflow_assignment_pause_seconds`: how many pauses, and what all of them took together. */
  pauses(): { readonly count: number; readonly sumMs: number };
}

class Simulation {
  readonly clock = new VirtualClock(systemClock.now());
  readonly log: MemoryLog = createMemoryLog({ clock: this.clock, random: seededRandom(7) });
  fed = 0;
  #producer: LogProducer | undefined;
  #nextFeed = 0;
  readonly #appends: Promise<unknown>[] = [];
  /** Of each partition of the output: where committed readers ended, and when that was seen to have moved. */
  readonly #moved = Array.from({ length: PARTITIONS }, () => ({ stable: 0, at: 0, longestMs: 0 }));

  async open(): Promise<void> {
    for (const { name } of [events, counts]) await this.log.admin.create(name, { partitions: PARTITIONS });
    this.#producer = await this.log.producer({});
    this.log.faults.set({ chances: { 'late-answer': 1 }, lateMs: ANSWER_MS });
    this.mark();
  }

  async start(log: Log = this.log): Promise<Member> {
    const telemetry = createTelemetry({ process: false, sink: { write: () => undefined } });
    const starting = startRun({
      program: topology.build(),
      log,
      state: this.#slowlyClosing(createStateBackend({})),
      directory: undefined,
      clock: this.clock,
      telemetry,
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 20 },
    });
    const run = await this.during(starting);
    const pauses = () => {
      const [count = 0, sum = 0] =
        telemetry.snapshot().find(({ name }) => name === 'nodeflow_assignment_pause_seconds')?.values ?? [];
      return { count, sumMs: sum * 1000 };
    };
    return { run, pauses };
  }

  /** The gaps are counted from now on. */
  mark(): void {
    for (const moved of this.#moved) Object.assign(moved, { at: this.clock.monotonic(), longestMs: 0 });
  }

  /** The longest time in which nothing new was committed, of each partition. */
  get gapsMs(): readonly number[] {
    return this.#moved.map(({ at, longestMs }) => Math.max(longestMs, this.clock.monotonic() - at));
  }

  async partitionsOf(member: string): Promise<readonly number[]> {
    const tasks = (await this.#group()).tasks.get(member) ?? [];
    return tasks.map((task) => Number(task.split('_').at(-1))).sort();
  }

  async members(): Promise<readonly string[]> {
    return [...(await this.#group()).tasks.keys()];
  }

  async #counted(): Promise<number> {
    return (await this.#group()).positions.reduce((sum, { position }) => sum + position, 0);
  }

  async #group(): Promise<GroupDescription> {
    const groups = await this.during(this.log.admin.groups());
    return groups.find(({ group }) => group === 'counting')!;
  }

  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      for (let turn = 0; turn < TURNS; turn++) await systemClock.turn();
      this.clock.advance(1);
      this.#feed();
      this.#look();
    }
  }

  async until(what: string, condition: () => boolean, patienceMs = 60_000): Promise<void> {
    const late = this.clock.monotonic() + patienceMs;
    while (!condition()) {
      assert.ok(this.clock.monotonic() < late, `waited for ${what}`);
      await this.pass(1);
    }
  }

  during<T>(work: Promise<T>): Promise<T> {
    return during(work, (isDone) => this.until('what was asked for', isDone));
  }

  /** The input ends; all of it is counted, once. */
  async settle(members: readonly Member[]): Promise<void> {
    this.#nextFeed = Number.POSITIVE_INFINITY;
    await this.during(Promise.all(this.#appends));
    this.log.faults.set({});
    while ((await this.#counted()) < this.fed) await this.pass(10);
    for (const { run } of members) await this.during(run.drain());
    const updates = (await readTopic(this.log, counts)).map(({ key, value }) => `${key} ${value}`);
    assert.deepEqual(updates.sort(), expectedUpdates(this.fed));
    await this.log.close();
  }

  /** A few records of each partition, whose appends are not waited for. */
  #feed(): void {
    if (this.clock.monotonic() < this.#nextFeed) return;
    this.#nextFeed = this.clock.monotonic() + FEED_EVERY_MS;
    const builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(new Step()));
    for (const end = this.fed + 40; this.fed < end; this.fed++) {
      const key = Buffer.from(`key-${(this.fed * 7919) % 5000}`);
      const value = Buffer.alloc(8);
      const partition = partitionForKey(key, 0, key.length, PARTITIONS);
      builders[partition]!.append(this.fed, key, 0, key.length, value, 0, value.length);
    }
    for (const [partition, builder] of builders.entries()) {
      if (builder.count > 0) this.#appends.push(this.#producer!.append(events.name, partition, builder.finish()));
    }
  }

  /** Where committed readers end now; the answer comes late, what it says is of now. */
  #look(): void {
    const now = this.clock.monotonic();
    for (const [partition, moved] of this.#moved.entries()) {
      void this.log.admin.bounds(counts.name, partition).then(({ stable }) => {
        if (stable <= moved.stable) return;
        moved.longestMs = Math.max(moved.longestMs, now - moved.at);
        Object.assign(moved, { stable, at: now });
      });
    }
  }

  #slowlyClosing(backend: StateBackend): StateBackend {
    return {
      onDisk: backend.onDisk,
      look: (...args) => backend.look(...args),
      close: () => backend.close(),
      open: async (options) => {
        const state = await backend.open(options);
        const close = state.close.bind(state);
        state.close = async () => {
          await this.clock.sleep(CLOSING_MS);
          await close();
        };
        return state;
      },
    };
  }
}

test('what a process keeps goes on while others come and go, and pauses at most 200 ms', {
  timeout: 240_000,
}, async (context) => {
  const simulation = new Simulation();
  await simulation.open();
  const first = await simulation.start();
  await simulation.until('the work to go on', () => first.run.health().ready);
  await simulation.pass(1000);
  const [steady] = await simulation.members();
  assert.deepEqual(await simulation.partitionsOf(steady!), [0, 1, 2, 3]);

  // a process joins, to which the changelogs are given late
  const before = first.pauses();
  let restoredAt = Number.POSITIVE_INFINITY;
  const slow = holdingBack(simulation.log, {
    isHeld: ({ topic }) => topic === CHANGELOG,
    gate: () => () => simulation.clock.monotonic() >= restoredAt,
  });
  simulation.mark();
  restoredAt = simulation.clock.monotonic() + CLOSING_MS + RESTORE_MS;
  const guest = await simulation.start(slow);
  await simulation.until('the guest to be ready', () => guest.run.health().ready);
  const joined = simulation.gapsMs;
  const kept = await simulation.partitionsOf(steady!);
  assert.equal(kept.length, 2);
  for (const partition of kept) {
    assert.ok(joined[partition]! <= LONGEST_PAUSE_MS, `partition ${partition} stood still for ${joined[partition]} ms`);
  }
  for (const partition of [0, 1, 2, 3].filter((each) => !kept.includes(each))) {
    assert.ok(joined[partition]! > RESTORE_MS, `partition ${partition} was restored in ${joined[partition]} ms`);
  }
  const { count, sumMs } = first.pauses();
  context.diagnostic(`gaps of ${joined.join(', ')} ms, pauses of ${sumMs - before.sumMs} ms together`);
  assert.ok(count > before.count, 'the first process gave up tasks');
  assert.ok(sumMs - before.sumMs <= LONGEST_PAUSE_MS, `it paused for ${sumMs - before.sumMs} ms`);

  // and leaves again
  await simulation.pass(500);
  simulation.mark();
  await simulation.during(guest.run.drain());
  await simulation.until('the first process to have everything', () => first.run.health().ready);
  await simulation.pass(500);
  const left = simulation.gapsMs;
  context.diagnostic(`gaps of ${left.join(', ')} ms`);
  for (const partition of kept) {
    assert.ok(left[partition]! <= LONGEST_PAUSE_MS, `partition ${partition} stood still for ${left[partition]} ms`);
  }
  await simulation.settle([first]);
});
