import assert from 'node:assert/strict';
import { systemClock } from '../../../core/clock.ts';
import type { Json } from '../../../core/ids.ts';
import { type Random, randomInt, seededRandom } from '../../../core/random.ts';
import { decodeStep, type StepRecord } from '../../../events/events.ts';
import { TopologyDriver } from '../../../runtime/testing.ts';
import type { Command } from '../../lifecycle/lifecycle.ts';
import { checkEndCounts } from '../../lifecycle/testing/check-log.ts';
import { type Told, toldOf } from '../answers.ts';
import { DEFAULT_QUARANTINE } from '../call-gate.ts';
import { Coordinator } from '../coordinator.ts';
import { GraphCache } from '../definition-rows.ts';
import { DirectCommands, type Sent } from '../direct-commands.ts';
import { leftoverName } from '../leftovers.ts';
import { fold, MemoryStore } from '../memory-rows.ts';
import { type CallMessage, type CommandMessage, rootOf } from '../messages.ts';
import { CONTROL_STORE, controlProgram, controlTopics, TIMERS_STORE } from '../program.ts';
import { runInline } from '../run-inline.ts';
import { placeName } from '../slots.ts';
import { StoredRows } from '../stored-rows.ts';
import { TaskCalls } from '../task-calls.ts';
import { viewOf } from '../views.ts';
import { CallAnswers } from './call-answers.ts';
import { rememberingLanguage } from './remembering-language.ts';
import { HeldRuns, runRows, runStream, upgradeTo } from './simulated-stream.ts';
import { FLAKY, WORKLOADS, type Workload } from './simulated-work.ts';
import { ADD } from './small-documents.ts';

/** Partitions share nothing, and each takes time to open. */
const PARTITIONS = 1;
const SLOTS = 2;
/** As many as a call takes that ends by itself, and those that it lets begin. */
const TURNS = 8;

/** Of all simulations. */
const LANGUAGE = rememberingLanguage([ADD, FLAKY]);

interface Started {
  readonly workload: Workload;
  readonly input: number;
  readonly version: string;
}

/**
 * Whole executions on a virtual clock: commands that come twice, crashes between any two steps, calls that fail, clocks
 * that jump. In the end every execution has ended once, with the right result, and its records are without a gap.
 */
export async function simulate(seed: number): Promise<void> {
  const simulation = await Simulation.open(seededRandom(seed));
  await simulation.run();
}

class Simulation {
  readonly #random: Random;
  #driver!: TopologyDriver;
  #calls!: TaskCalls;
  #answers!: CallAnswers;
  #processes = 0;
  readonly #records = new Map<string, StepRecord[]>();
  readonly #started = new Map<string, Started>();
  /** What nodes have started. */
  readonly #within = new Map<string, Started>();
  readonly #signalled = new Set<string>();
  readonly #topics = controlTopics(PARTITIONS);
  readonly #sent: CommandMessage[] = [];
  /** The short way; what comes back from it goes over the log. */
  readonly #direct = new DirectCommands({
    toLog: (sent) => void this.#back.push(sent),
    told: (told) => void this.#heard.push(told),
  });
  /** What coordinators have told those who sent a command the short way. */
  readonly #heard: Told[] = [];
  readonly #back: Sent[] = [];
  readonly #told: (CommandMessage | CallMessage)[] = [];
  readonly #held = new HeldRuns();
  #committed = Promise.withResolvers<void>();
  #ids = 0;

  private constructor(random: Random) {
    this.#random = random;
  }

  static async open(random: Random): Promise<Simulation> {
    const simulation = new Simulation(random);
    await simulation.#open();
    return simulation;
  }

  async #open(): Promise<void> {
    const lifecycle = LANGUAGE.lifecycle(runInline, Number.POSITIVE_INFINITY);
    const graphs = new GraphCache(LANGUAGE);
    this.#newCalls();
    const program = controlProgram({
      partitions: PARTITIONS,
      rememberMs: 1_000_000,
      maxCalls: 1000,
      coordinator: () =>
        new Coordinator({
          ...{ lifecycle, graphs, direct: this.#direct, rememberMs: 1_000_000, slots: () => SLOTS },
          calls: {
            process: this.#calls.process,
            announce: (task, careful) => this.#calls.announce(task, careful),
            abort: (...at) => this.#calls.abort(...at),
            end: (...at) => this.#calls.end(...at),
          },
          figures: { commands: 0, steps: 0, nodes: 0, started: 0, ended: 0 },
        }),
      call: (task, lost) => this.#calls.call(task, lost),
    });
    this.#driver = await TopologyDriver.open(program, { commit: 'on demand', onFailure: 'fail', startMs: 1_000_000 });
    for (const each of WORKLOADS.flatMap(({ document: one, next }) => (next === undefined ? [one] : [one, next]))) {
      const { hash, document: compiled } = LANGUAGE.compile(each);
      const { id, version } = compiled;
      const define = { id, version, hash, document: each, publishedAt: 0, publishedBy: null };
      for (let partition = 0; partition < PARTITIONS; partition++) {
        this.#driver.input(this.#topics.commands).send('define', { define }, { partition });
      }
    }
  }

  /** As a new process has them. */
  #newCalls(): void {
    const process = `p${this.#processes++}`;
    this.#answers = new CallAnswers(process, (message) => this.#told.push(message));
    this.#calls = new TaskCalls({
      ...{ language: LANGUAGE, process, quarantine: DEFAULT_QUARANTINE, ...this.#answers.words },
      clock: { now: () => this.#driver.clock.now() },
      segments: {
        left: async () => undefined,
        run: (task, asked, progress) => {
          this.#held.begin(task);
          return task.m === 'streaming' ? runStream(task, asked) : runRows(task, this.#driver.clock.now(), progress);
        },
        clear: async (message) => {
          // here messages come at once, and in a log when what they tell is committed
          await this.#committed.promise;
          if (this.#rows().get(leftoverName(message.clear)) === message.id) this.#held.clear(message);
        },
      },
      tell: async (execution, command) => {
        this.#told.push({ x: execution, c: command, id: this.#id() });
      },
      endOf: async (execution) => {
        const header = new StoredRows(this.#rows(), execution).header();
        return header?.savepoint != null ? 'savepoint' : header?.ending ? 'end' : undefined;
      },
      isWanted: async ({ x, n, i, a }) => {
        const place = this.#rows().get(placeName({ execution: x, node: n, iteration: i }));
        return place !== undefined && (place as { readonly attempt: number }).attempt === a;
      },
      checkpoint: async (task) => task.resume,
    });
  }

  async run(): Promise<void> {
    const steps = 10 + randomInt(this.#random, 30);
    for (let step = 0; step < steps; step++) await this.#act();
    await this.#finish();
    this.#check();
  }

  async #act(): Promise<void> {
    this.#sendTold();
    const random = this.#random;
    const dice = randomInt(random, 12);
    if (dice < 3) this.#start();
    else if (dice === 3) this.#signal();
    else if (dice < 6)
      this.#steer((workflow) =>
        random.next() < 0.6 ? upgradeTo(random.next() < 0.5 ? '1.0.0' : '2.0.0', workflow) : { type: 'end' },
      );
    else if (dice === 6 && this.#sent.length > 0) this.#send(this.#sent[randomInt(random, this.#sent.length)]!);
    else if (dice === 7) this.#driver.advance(randomInt(random, 60));
    else if (dice === 8) await this.#settle();
    else if (dice === 9) this.#commit();
    else await this.#crash();
  }

  #start(): void {
    const workload = WORKLOADS[randomInt(this.#random, WORKLOADS.length)]!;
    const execution = `x${this.#started.size}`;
    const input = randomInt(this.#random, 100);
    const mode = workload.next === undefined ? 'realtime' : 'streaming';
    this.#started.set(execution, { workload, input, version: '1.0.0' });
    const command: Command = {
      ...{ type: 'start', input, mode, user: null, priority: 5, deadline: null, labels: {} },
      ...{ idempotencyKey: null, parent: null, select: null, pins: null, forkOf: null },
    };
    this.#command({ x: execution, w: workload.workflow, v: '1.0.0', c: command, id: this.#id() });
  }

  /** To an execution that waits for one, as its committed rows show. */
  #signal(): void {
    for (const [execution, { workload, input }] of this.#started) {
      if (!workload.signals || this.#signalled.has(execution)) continue;
      if (new StoredRows(this.#rows(), execution).node('2')?.wait == null) continue;
      this.#signalled.add(execution);
      const payload = input * 1000;
      this.#command({ x: execution, c: { type: 'signal', name: 'go', id: 's', payload }, id: this.#id() });
      return;
    }
  }

  /** To a streaming execution that has begun and not ended, as the committed rows show. */
  #steer(command: (workflow: string) => Command): void {
    const rows = this.#rows();
    const live = [...this.#started].filter(
      ([execution, { workload }]) =>
        workload.next !== undefined && new StoredRows(rows, execution).header() !== undefined,
    );
    const chosen = live[randomInt(this.#random, Math.max(1, live.length))];
    if (chosen === undefined) return;
    const [execution, { workload }] = chosen;
    this.#command({ x: execution, c: command(workload.workflow), id: this.#id() });
  }

  /** What calls have said comes as other commands do, and not while a step or a crash goes on. */
  #sendTold(): void {
    for (const message of this.#told.splice(0)) {
      if ('call' in message) this.#append(message, this.#driver.clock.now());
      else this.#command(message);
    }
    for (const { message, at } of this.#back.splice(0)) this.#append(message, at);
  }

  #command(message: CommandMessage): void {
    this.#sent.push(message);
    this.#send(message);
  }

  #send(message: CommandMessage): void {
    // clocks of senders differ
    const at = Math.max(0, this.#driver.clock.now() + randomInt(this.#random, 200) - 100);
    if (this.#random.next() < 0.5) this.#append(message, at);
    else
      this.#direct.send({ ...this.#direction(message.x), id: message.id, message, characters: 0, at, isKept: false });
  }

  #append(message: CommandMessage | CallMessage, timestamp: number): void {
    this.#driver.input(this.#topics.commands).send(message.x, message, { timestamp });
  }

  #direction(execution: string): Pick<Sent, 'root' | 'partition'> {
    return { root: rootOf(execution), partition: 0 };
  }

  #commit(): void {
    this.#driver.commit();
    this.#committed.resolve();
    this.#committed = Promise.withResolvers();
    const changed = new Set<string>();
    const committed = new Set<string>();
    for (const { value, timestamp } of this.#driver.output(this.#topics.events).read()) {
      const record = decodeStep(value!);
      if (record.cause.kind === 'command') committed.add(JSON.stringify(toldOf(record.cause.id, record)));
      // by which whoever looks for it finds it
      assert.equal(timestamp, record.at);
      if (record.cause.kind === 'command') this.#direct.over({ id: record.cause.id, partition: 0 });
      this.#answers.see(record);
      if (record.seq === 0) continue;
      this.#seeStart(record);
      const records = this.#records.get(record.execution) ?? [];
      this.#records.set(record.execution, records);
      records.push(record);
      changed.add(record.execution);
    }
    for (const heard of this.#heard.splice(0)) assert.ok(committed.has(JSON.stringify(heard)));
    this.#compareRows(changed);
  }

  /** What goes on from a savepoint was started by the execution before it. */
  #seeStart({ execution, events: [first] }: StepRecord): void {
    if (first?.type !== 'started') return;
    if (first.parent !== null) {
      const workload = WORKLOADS.find(({ workflow }) => workflow === first.workflow)!;
      assert.ok(!this.#within.has(execution), `${execution} starts twice`);
      this.#within.set(execution, { workload, input: first.input as number, version: first.version });
      return;
    }
    if (first.continues === undefined) return;
    const { workload, input } = this.#started.get(first.continues.execution)!;
    assert.ok(!this.#started.has(execution), `${execution} starts twice`);
    this.#started.set(execution, { workload, input, version: first.version });
  }

  /** Calls that end by themselves do so; a stream goes on. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      await systemClock.turn();
      this.#driver.advance(0);
    }
  }

  async #crash(): Promise<void> {
    // now and then the partition goes elsewhere, and who had it lives to say so
    const hasMoved = this.#random.next() < 0.2;
    if (!hasMoved) this.#answers.die();
    this.#newCalls();
    await (hasMoved ? this.#driver.rebalance() : this.#driver.crash());
  }

  async #finish(): Promise<void> {
    for (let rounds = 0; rounds < 200; rounds++) {
      this.#signal();
      if (rounds % 3 === 0) this.#steer(() => ({ type: 'end' }));
      this.#sendTold();
      await this.#settle();
      this.#driver.advance(50);
      await this.#settle();
      this.#commit();
      if ([...this.#started.keys()].every((each) => this.#hasEnded(each)) && this.#held.isEmpty) return;
    }
    const open = [...this.#started.keys()].filter((each) => !this.#hasEnded(each));
    const told = open.map((each) => `${each}: ${JSON.stringify(this.#records.get(each)?.at(-1))}`);
    this.#held.check();
    assert.fail(`these never end: ${told.join('\n')}`);
  }

  #hasEnded(execution: string): boolean {
    const last = this.#records.get(execution)?.at(-1);
    return last?.events.some(({ type }) => type === 'ended') ?? false;
  }

  /** The view of an execution by its rows is that by the fold of its records. */
  #compareRows(changed: ReadonlySet<string>): void {
    const lifecycle = LANGUAGE.lifecycle(runInline);
    const rows = this.#rows();
    for (const execution of changed) {
      const records = this.#records.get(execution)!;
      const { workload, version } = (this.#started.get(execution) ?? this.#within.get(execution))!;
      const stored = new StoredRows(rows, execution);
      if (stored.header() === undefined) continue;
      const graph = LANGUAGE.compile(version === '2.0.0' ? workload.next! : workload.document);
      const folded = fold(execution, records, { lifecycle, base: graph, patch: () => graph });
      assert.deepEqual(viewOf(folded), viewOf({ rows: stored, graph, output: null, endedAt: null }));
    }
  }

  #check(): void {
    this.#held.check();
    for (const [execution, { workload, input }] of this.#within) {
      const events = this.#records.get(execution)!.flatMap((each) => each.events);
      const [end, ...more] = events.flatMap((each) => (each.type === 'ended' ? [each] : []));
      assert.deepEqual(more, [], `${execution} has ended more than once`);
      if (end!.status === 'COMPLETED') assert.deepEqual(end!.output, workload.result(input));
      else
        assert.ok(
          events.some(({ type }) => type === 'savepoint'),
          `${execution} was ${end!.status}`,
        );
    }
    for (const [execution, { workload, input }] of this.#started) {
      const records = this.#records.get(execution)!;
      assert.deepEqual(
        records.map(({ seq }) => seq),
        records.map((_, i) => i + 1),
      );
      checkEndCounts(records);
      const events = records.flatMap((each) => each.events);
      const ends = events.filter(({ type }) => type === 'ended') as { readonly output: Json }[];
      assert.equal(ends.length, 1);
      const goesOn = events.some(({ type }) => type === 'savepoint');
      assert.deepEqual(ends[0]!.output, goesOn ? null : workload.result(input));
      const next = [...this.#records.values()].filter(([each]) => {
        const [start] = each!.events;
        return start?.type === 'started' && start.continues?.execution === execution;
      });
      assert.equal(next.length, goesOn ? 1 : 0, 'what goes on from a savepoint starts once');
      const causes = records.flatMap(({ cause, events: [first] }) =>
        cause.kind === 'command' && first?.type !== 'rejected' ? [cause.id] : [],
      );
      assert.equal(new Set(causes).size, causes.length, 'a command had an effect twice');
      const times = records.map(({ at }) => at);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    }
    for (const [key, value] of this.#rows().range('', '\uffff')) {
      assert.match(key, /^\0[SC]/, `${JSON.stringify(key)} was left behind`);
      if (key.startsWith('\0S')) assert.deepEqual(value, [0, 0, '']);
    }
    assert.equal([...this.#driver.table(TIMERS_STORE).rows()].length, 0, 'a timer was left behind');
  }

  #rows(): MemoryStore {
    const rows = this.#driver.table<string, Json>(CONTROL_STORE).rows();
    return new MemoryStore([...rows].map(({ key, value }) => [key, value] as const));
  }

  #id(): string {
    return `c${this.#ids++}`;
  }
}
