import { Outputs as OutputBuffers } from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import { VirtualClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { type Millis, partitionName } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { type Fetched, partitionForKey } from '../log/log.ts';
import { localRegistry, type Serde } from '../schemas/schemas.ts';
import { createStateBackend, type Table } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import type { Program, Topic } from '../topology/topology.ts';
import { bindProgram } from './bind-schemas.ts';
import { GlobalTables } from './global-tables.ts';
import type { Query } from './query.ts';
import type { SplitInput } from './split-input.ts';
import { deadLetterTopic, PlanIndex } from './stage.ts';
import { DriverLog } from './testing-log.ts';
import type { DriverOptions } from './testing-options.ts';
import { OldestFirst } from './testing-order.ts';
import { driverQuery } from './testing-query.ts';
import {
  type DriverInput,
  type DriverOutput,
  type DriverRecord,
  decodeBatch,
  encodeRecord,
} from './testing-records.ts';
import { type DriverRow, type DriverTable, driverTable } from './testing-rows.ts';
import { DriverStores } from './testing-state.ts';
import { type DriverFeed, type DriverParts, type DriverTask, openTasks, type TopicFeed } from './testing-task.ts';

export type { DriverOptions } from './testing-options.ts';
export type { DriverInput, DriverOutput, DriverRecord, DriverRow, DriverTable };

/**
 * Runs a topology in a test: one process, a virtual clock, no log and no disk, every partition. What is sent is
 * processed to the end, through repartition topics too, before `send` returns; of several records on their way the
 * oldest goes first.
 *
 *     const driver = await TopologyDriver.open(app);
 *     driver.input(orders).send('k1', { status: 'paid' }, { timestamp: 1000 });
 *     assert.deepEqual(driver.output(counts).read(), [{ key: 'k1', value: 1, timestamp: 1000, ... }]);
 *
 * With `commit: 'on demand'` it shows what an application does between two commits: outputs are read when they are
 * committed, `crash` throws away what is not, and what was sent since is processed again.
 */
export class TopologyDriver {
  readonly clock: VirtualClock;
  readonly #parts: DriverParts;
  readonly #log: DriverLog;
  readonly #onDemand: boolean;
  #ending = false;
  readonly #sharedTime: boolean;
  readonly #globalRows = new Map<string, Table>();
  #globals: GlobalTables | undefined;
  #query: Query | undefined;
  #tasks: readonly DriverTask[] = [];
  #feeds: ReadonlyMap<string, readonly TopicFeed[]> = new Map();
  #notified: () => void = () => undefined;
  readonly #ready = new OldestFirst<DriverFeed>(({ input }) =>
    input.left > 0 ? input.head : Number.NEGATIVE_INFINITY,
  );

  private constructor(program: Program, options: DriverOptions) {
    const step = new Step();
    this.clock = new VirtualClock(options.startMs ?? 0);
    this.#sharedTime = options.sharedStreamTime === true;
    this.#onDemand = options.commit === 'on demand';
    this.#log = new DriverLog(this.#onDemand);
    this.#parts = {
      ...{ program, step, clock: this.clock },
      index: new PlanIndex(program.plan),
      outputs: new OutputBuffers(step, options.batchBytes ?? 64 * 1024),
      telemetry: silentTelemetry(),
      backend: createStateBackend({}),
      stores: new DriverStores(),
      globals: this.#globalRows,
      onFailure: options.onFailure ?? 'fail',
      idleMs: options.idleMs ?? 0,
      isEnding: () => this.#ending,
      notify: () => this.#notified(),
    };
  }

  /** Opens a topology, or the program that its `build()` answered. */
  static async open(topology: { build(): Program } | Program, options: DriverOptions = {}): Promise<TopologyDriver> {
    const built = 'build' in topology ? topology.build() : topology;
    const { program } = await bindProgram(built, { registry: localRegistry(), clock: new VirtualClock() });
    const driver = new TopologyDriver(program, options);
    await driver.#open();
    driver.#run();
    return driver;
  }

  input<K, V>(topic: Topic<K, V, number>): DriverInput<K, V> {
    this.#mustKnow(topic.name);
    const serdes = { key: this.#bound(topic.keySerde), value: this.#bound(topic.valueSerde) };
    return {
      send: (key, value, { timestamp = this.clock.now(), partition, headers = {} } = {}) => {
        const encoded = encodeRecord(serdes, { key, value, timestamp, headers });
        const byKey =
          encoded.key === undefined ? 0 : partitionForKey(encoded.key, 0, encoded.key.length, topic.partitions);
        const at = { topic: topic.name, partition: partition ?? byKey };
        this.#offer(this.#log.send({ ...at, bytes: encoded.batch, records: 1 }));
        this.#settle();
      },
    };
  }

  output<K, V>(topic: Topic<K, V, number>): DriverOutput<K, V> {
    this.#mustKnow(topic.name);
    return { read: () => this.#read(topic.name, this.#bound(topic.keySerde), this.#bound(topic.valueSerde)) };
  }

  /** A serde whose schema a registry keeps has its id from the program. */
  #bound<T>(serde: Serde<T>): Serde<T> {
    return serde.registered === undefined ? serde : (this.#parts.program.code.serde(serde.name) as Serde<T>);
  }

  /** The rows of a store as they stand, committed or not. */
  table<K, V>(store: string): DriverTable<K, V> {
    const global = this.#globalRows.get(store);
    const tasks = () => this.#tasks.filter(({ stage }) => stage.stores.includes(store));
    return driverTable(this.#parts, store, () =>
      global === undefined ? tasks().map(({ state }) => state.table(store)) : [global],
    );
  }

  /** Reads stores as `query` of a run does: by key, range, window, session and moment, live or committed. */
  get query(): Query {
    this.#query ??= driverQuery(this.#parts, this.#onDemand, () => ({ tasks: this.#tasks, globals: this.#globals }));
    return this.#query;
  }

  /** Records that went to the dead-letter topic since the last read, as raw bytes with their headers. */
  deadLetters(): readonly DriverRecord<Buffer | null, Buffer | null>[] {
    return this.#read<Buffer | null, Buffer | null>(deadLetterTopic(this.#parts.program.plan.name));
  }

  /** How many records were dropped so far, by `node reason`; what was processed twice counts twice. */
  dropped(): { readonly [nodeAndReason: string]: number } {
    const counts: { [name: string]: number } = {};
    for (const row of this.#parts.telemetry.snapshot()) {
      if (row.name !== 'nodeflow_dropped_records_total' || row.values[0] === 0) continue;
      const name = `${row.labels['node']} ${row.labels['reason']}`;
      counts[name] = (counts[name] ?? 0) + row.values[0]!;
    }
    return counts;
  }

  /** Moves the wall clock; timers that wait for it fire. */
  advance(ms: Millis): void {
    this.clock.advance(ms);
    for (const { task } of this.#tasks) task.wallTime(this.clock.now());
    this.#resume();
  }

  /**
   * Resolves when the calls of asynchronous functions have ended that are on their way, and those that these let begin.
   * One that pauses between two attempts, or never answers, goes on with `advance`, as its timeout does.
   */
  async idle(): Promise<void> {
    for (;;) {
      this.#resume();
      if (!this.#tasks.some(({ calls }) => calls.running > 0)) return;
      await new Promise<void>((resolve) => {
        this.#notified = resolve;
      });
    }
  }

  /** What was done so far is to stay: outputs can be read, and a crash goes on from here. */
  commit(): void {
    for (const task of this.#tasks) {
      task.commit(this.#parts.stores);
      if (this.#onDemand) task.keepCommitted();
    }
    this.#log.commit();
  }

  /** All tasks end at once and are opened anew: what was not committed is gone, and is done again. */
  async crash(): Promise<void> {
    if (!this.#onDemand) this.commit();
    this.#parts.outputs.clear();
    this.#log.abort();
    await this.#reopen();
  }

  /** All tasks go to other workers: each is committed, closed, and opened anew from its changelogs. */
  async rebalance(): Promise<void> {
    this.commit();
    await this.#reopen();
  }

  /** Records of which a call is on its way, or pauses between attempts, or whose result waits for its turn. */
  get inFlight(): number {
    return this.#tasks.reduce((sum, { calls }) => sum + calls.inFlight, 0);
  }

  /**
   * Reads every connector to its end, then ends all inputs: windows close, final results come out. Calls end, and time
   * moves on over pauses between their attempts.
   */
  async end(): Promise<void> {
    this.#ending = true;
    for (const task of this.#tasks) if (task.split !== undefined) await this.#readSplit(task, task.split);
    // records that wait for room are taken before their input ends
    await this.#endCalls();
    const { index, program } = this.#parts;
    for (const { topics } of this.#tasks) {
      for (const input of topics) {
        if (index.writers(input.topic).length === 0) input.setEnd(input.position);
      }
    }
    for (let rounds = 0; rounds <= program.plan.topics.length; rounds++) {
      await this.#endCalls();
      for (const { topics } of this.#tasks) {
        for (const input of topics) if (this.#isEnded(input.topic)) input.setEnd(input.position);
      }
    }
    await this.#endCalls();
  }

  async #endCalls(): Promise<void> {
    await this.idle();
    while (this.inFlight > 0) {
      const next = this.clock.nextTimer();
      if (next === undefined) return;
      this.advance(next - this.clock.now());
      await this.idle();
    }
  }

  #isEnded(topic: string): boolean {
    const writers = this.#parts.index.writers(topic);
    return this.#tasks.every(
      ({ task, stage }) => task.finished || task.endedTopics.has(topic) || !writers.includes(stage),
    );
  }

  async #readSplit(task: DriverTask, input: SplitInput): Promise<void> {
    const { index, program } = this.#parts;
    const source = program.code.fn(index.connector(task.stage)!.source) as Source<unknown>;
    const splits = await source.splits();
    const reader = await source.open(splits[task.partition]!, input.position);
    for (;;) {
      const batch = await reader.next(1000);
      input.offer(batch);
      this.#wake({ input, task });
      this.#settle();
      if (batch === undefined) break;
    }
    await reader.close();
  }

  async #open(): Promise<void> {
    await this.#openGlobals();
    this.#tasks = await openTasks(this.#parts);
    for (const task of this.#tasks) if (this.#onDemand) task.keepCommitted();
    const feeds = new Map<string, TopicFeed[]>();
    for (const task of this.#tasks) {
      for (const input of task.topics) {
        const name = partitionName(input.topic, input.partition);
        feeds.set(name, [...(feeds.get(name) ?? []), { input, task }]);
      }
    }
    this.#feeds = feeds;
  }

  /** What was written and not committed is in no global table: with commits on demand they are loaded from their topics. */
  async #openGlobals(): Promise<void> {
    const { index, backend, clock, telemetry } = this.#parts;
    if (this.#globals !== undefined && !this.#onDemand) return;
    await this.#globals?.close();
    const budget = { maxBytes: Number.MAX_SAFE_INTEGER, usedBytes: 0 };
    const globals = await GlobalTables.open({ index, backend, clock, budget, telemetry });
    for (const { topic } of index.globals) {
      for (let partition = 0; partition < index.topics.get(topic)!.partitions; partition++) {
        for (const fetched of this.#log.from(topic, partition, 0)) globals.take(fetched);
      }
    }
    this.#globals = globals;
    for (const [store, table] of globals.tables) this.#globalRows.set(store, table);
  }

  async #reopen(): Promise<void> {
    this.#ready.clear();
    for (const task of this.#tasks) await task.discard();
    await this.#open();
    for (const { topics } of this.#tasks) {
      for (const { topic, partition, position } of topics) {
        for (const fetched of this.#log.from(topic, partition, position)) this.#offer(fetched);
      }
    }
    // Only now is told who is idle: who had not been given yet what there is to read would seem so too.
    this.#start();
    while (this.#tellTimes());
    this.#settle();
  }

  /** Lets every task do what it owes without a record: timers, what goes on after a crash, the end. */
  #run(): void {
    this.#start();
    this.#settle();
  }

  #start(): void {
    for (const task of this.#tasks) {
      task.run();
      this.#deliver();
    }
  }

  /** Goes on where calls have ended. */
  #resume(): void {
    this.#run();
    for (const feeds of this.#feeds.values()) {
      for (const feed of feeds) if (!feed.task.task.blocked) this.#wake(feed);
    }
    this.#settle();
  }

  /**
   * Takes records until none is left, feeding outputs back to the stages that read them, and then lets time go on, which
   * may bring more.
   */
  #settle(): void {
    do {
      for (let next = this.#ready.take(); next !== undefined; next = this.#ready.take()) {
        const at = this.#sharedTime && next.input.left > 0 ? next.input.head : Number.NEGATIVE_INFINITY;
        next.task.takeFrom(next.input);
        if (this.#sharedTime) for (const task of this.#tasks) task.see(at);
        if (!next.task.task.blocked && next.input.fill()) this.#ready.offer(next);
        this.#deliver();
        this.#tellTime(next.task);
      }
    } while (this.#tellTimes());
    if (!this.#onDemand) this.#log.commit();
  }

  /** Answers whether anything came of it. */
  #tellTimes(): boolean {
    let told = false;
    for (const task of this.#tasks) if (this.#tellTime(task)) told = true;
    return told;
  }

  #tellTime(task: DriverTask): boolean {
    if (!task.tellTime()) return false;
    this.#deliver();
    return true;
  }

  /** Hands on what was written, topics in the order in which something was first written to them. */
  #deliver(): void {
    const { outputs } = this.#parts;
    outputs.seal(true);
    for (const sealed of outputs.take()) this.#offer(this.#log.write(sealed));
  }

  #offer(fetched: Fetched): void {
    if (this.#globals!.has(fetched.topic)) this.#globals!.take(fetched);
    for (const feed of this.#feeds.get(partitionName(fetched.topic, fetched.partition)) ?? []) {
      feed.input.offer(fetched);
      this.#wake(feed);
    }
  }

  #wake(feed: DriverFeed): void {
    if (!this.#ready.has(feed) && feed.input.fill()) this.#ready.offer(feed);
  }

  #read<K, V>(topic: string, key?: Serde<K>, value?: Serde<V>): readonly DriverRecord<K, V>[] {
    const serdes = key === undefined || value === undefined ? undefined : { key, value };
    const batches = this.#log.take(topic, !this.#onDemand);
    return batches.flatMap(({ bytes, partition }) => decodeBatch(bytes, { topic, partition }, serdes));
  }

  #mustKnow(topic: string): void {
    if (this.#parts.index.topics.has(topic)) return;
    throw new FlowError(
      'topic.missing',
      `topic ${topic} is not part of this topology; use one that it reads or writes`,
    );
  }
}
