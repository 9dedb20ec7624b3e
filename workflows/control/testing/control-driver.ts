import assert from 'node:assert/strict';
import type { Json, Millis } from '../../../core/ids.ts';
import { decodeStep, type StepRecord } from '../../../events/events.ts';
import { TopologyDriver } from '../../../runtime/testing.ts';
import type { NodeType } from '../../catalog.ts';
import { createLanguage } from '../../create-language.ts';
import type { WorkflowDocument } from '../../document.ts';
import type { Graph } from '../../graph.ts';
import type { Language } from '../../language.ts';
import type { Command } from '../../lifecycle/lifecycle.ts';
import { startCommand } from '../../start-command.ts';
import type { ExecutionView, StartOptions } from '../../workflows.ts';
import { DEFAULT_QUARANTINE } from '../call-gate.ts';
import { Coordinator } from '../coordinator.ts';
import { GraphCache } from '../definition-rows.ts';
import { MemoryStore } from '../memory-rows.ts';
import { type CallMessage, rootOf } from '../messages.ts';
import { CONTROL_STORE, controlProgram, controlTopics, TIMERS_STORE } from '../program.ts';
import { runInline } from '../run-inline.ts';
import { placeName } from '../slots.ts';
import { checkpointIn, StoredRows } from '../stored-rows.ts';
import { TaskCalls } from '../task-calls.ts';
import { viewOf } from '../views.ts';
import { CallAnswers } from './call-answers.ts';

export interface ControlDriverOptions {
  readonly documents: readonly Json[];
  /** Tasks that take time take it of this clock. */
  readonly types?: (clock: TopologyDriver['clock']) => readonly NodeType[];
  readonly slots?: number;
  /** Calls of a process that goes on behind another wait for their commit. */
  readonly careful?: boolean;
}

/**
 * The control plane on a virtual clock, with tasks that take their time of it: commands are judged as they are sent, what
 * is committed stays, and a crash takes the rest.
 */
export class ControlDriver {
  readonly records: StepRecord[] = [];
  /** Letters that are marked as redriven, and by whom. */
  readonly redriven: (readonly [letter: string, by: string | null])[] = [];
  readonly #options: ControlDriverOptions;
  readonly #topics = controlTopics(1);
  readonly #documents = new Map<string, Json>();
  #driver!: TopologyDriver;
  #language!: Language;
  #graphs!: GraphCache;
  #calls!: TaskCalls;
  #answers!: CallAnswers;
  #processes = 0;
  /** Of calls, by processes that live or lived. */
  readonly #said: CallMessage[] = [];
  #ids = 0;
  /** Calls that have begun, and that have ended. */
  #turns = 0;

  private constructor(options: ControlDriverOptions) {
    this.#options = options;
  }

  static async open(options: ControlDriverOptions): Promise<ControlDriver> {
    const driver = new ControlDriver(options);
    await driver.#open();
    return driver;
  }

  async #open(): Promise<void> {
    const { documents, slots = 2, types = () => [] } = this.#options;
    // types want the clock of the driver, and the driver is opened with what runs them
    const late = { sleep: (...args: Parameters<TopologyDriver['clock']['sleep']>) => this.clock.sleep(...args) };
    this.#language = createLanguage({ types: types(late as TopologyDriver['clock']) });
    this.#graphs = new GraphCache(this.#language);
    this.#newCalls();
    const program = controlProgram({
      ...{ partitions: 1, rememberMs: 10_000_000, maxCalls: 100_000 },
      coordinator: () =>
        new Coordinator({
          ...{ lifecycle: this.#language.lifecycle(runInline), graphs: this.#graphs, rememberMs: 10_000_000 },
          slots: () => slots,
          calls: {
            process: this.#calls.process,
            announce: (task, careful) => this.#calls.announce(task, careful && this.#options.careful === true),
            abort: (...at) => this.#calls.abort(...at),
            end: (...at) => this.#calls.end(...at),
          },
          figures: { commands: 0, steps: 0, nodes: 0, started: 0, ended: 0 },
        }),
      call: (task, lost) => {
        this.#turns++;
        return this.#calls.call(task, lost).finally(() => this.#turns++);
      },
    });
    this.#driver = await TopologyDriver.open(program, { commit: 'on demand', onFailure: 'fail', startMs: 1_000_000 });
    for (const document of documents) {
      const { hash, document: compiled } = this.#language.compile(document);
      const { id, version } = compiled;
      this.#documents.set(id, document);
      const define = { id, version, hash, document, publishedAt: 0, publishedBy: null };
      this.#driver.input(this.#topics.commands).send('define', { define }, { partition: 0 });
    }
    this.commit();
  }

  /** As a new process has them. */
  #newCalls(): void {
    const process = `p${this.#processes++}`;
    this.#answers = new CallAnswers(process, (message) => this.#said.push(message));
    this.#calls = new TaskCalls({
      ...{ language: this.#language, process, quarantine: DEFAULT_QUARANTINE, ...this.#answers.words },
      clock: { now: () => this.clock.now() },
      tell: async (execution, command) => this.send(execution, command),
      isWanted: async ({ x, n, i, a }) => {
        const place = this.rows().get(placeName({ execution: x, node: n, iteration: i }));
        return place !== undefined && (place as { readonly attempt: number }).attempt === a;
      },
      endOf: async (execution) => (new StoredRows(this.rows(), execution).header()?.ending ? 'end' : undefined),
      checkpoint: async (task) => checkpointIn(async (name) => this.rows().get(name), task),
    });
  }

  get clock(): TopologyDriver['clock'] {
    return this.#driver.clock;
  }

  start(execution: string, workflow: string, input: Json = null, options: StartOptions = {}): void {
    const document = this.#documents.get(workflow) as unknown as WorkflowDocument;
    this.#message({ x: execution, w: workflow, v: '1.0.0', c: startCommand(document, input, options) });
  }

  send(execution: string, command: Command, by?: string): void {
    this.#message({ x: execution, c: command, ...(by === undefined ? {} : { by }) });
  }

  #message(message: {
    readonly x: string;
    readonly c: Command;
    readonly w?: string;
    readonly by?: string;
    v?: string;
  }) {
    const id = `c${this.#ids++}`;
    this.#driver.input(this.#topics.commands).send(rootOf(message.x), { ...message, id });
  }

  #sendSaid(): void {
    const commands = this.#driver.input(this.#topics.commands);
    for (const message of this.#said.splice(0)) commands.send(rootOf(message.x), message);
  }

  commit(): void {
    this.#sendSaid();
    this.#driver.commit();
    for (const { value } of this.#driver.output(this.#topics.events).read()) {
      const record = decodeStep(value!);
      this.#answers.see(record);
      if (record.seq > 0) this.records.push(record);
    }
    for (const { key, value } of this.#driver.output(this.#topics.redrives).read()) {
      this.redriven.push([key!, value!.by]);
    }
  }

  /** What was not committed is gone, and done again; what ran is forgotten. */
  async crash(): Promise<void> {
    this.#answers.die();
    this.#newCalls();
    await this.#driver.crash();
  }

  /** The partition goes to another process, while this one goes on and says so. */
  async move(): Promise<void> {
    this.#newCalls();
    await this.#driver.rebalance();
  }

  /** The process stops as it is told to, and another one goes on. */
  async stop(): Promise<void> {
    await this.#calls.close();
    await this.move();
  }

  /** Lets calls begin and end that need no time. */
  async settle(): Promise<void> {
    for (let calm = 0; calm < 3; ) {
      await this.clock.turn();
      this.#sendSaid();
      const before = this.#turns;
      this.#driver.advance(0);
      calm = this.#turns === before ? calm + 1 : 0;
    }
  }

  /** Time goes on to whatever is due next; answers whether there was anything. */
  async next(until: Millis = Number.POSITIVE_INFINITY): Promise<boolean> {
    await this.settle();
    const [timer] = this.#driver.table<string, Json>(TIMERS_STORE).rows();
    const due = Math.min(
      this.clock.nextTimer() ?? Number.POSITIVE_INFINITY,
      timer === undefined ? Number.POSITIVE_INFINITY : Number(timer.key.split('\0')[0]),
    );
    if (due > until || due === Number.POSITIVE_INFINITY) return false;
    this.#driver.advance(Math.max(0, due - this.clock.now()));
    await this.settle();
    return true;
  }

  /** Until all that was started has ended; answers how long that took by the clock. */
  async finish(): Promise<Millis> {
    const began = this.clock.now();
    for (;;) {
      await this.settle();
      this.commit();
      if (this.open === 0) return this.clock.now() - began;
      assert.ok(await this.next(), 'nothing is waited for');
    }
  }

  /** Executions that have begun and not ended, by what is committed. */
  get open(): number {
    let open = 0;
    for (; this.#counted < this.records.length; this.#counted++) {
      for (const { type } of this.records[this.#counted]!.events) {
        if (type === 'started') this.#begun++;
        if (type === 'ended') this.#begun--;
      }
    }
    open = this.#begun;
    return open;
  }

  #counted = 0;
  #begun = 0;

  /** Nodes that wait for somebody, by what is committed. */
  get held(): number {
    const events = this.records.flatMap((record) => record.events);
    return events.filter((each) => each.type === 'waiting' && each.on === 'intervention').length;
  }

  of(execution: string): readonly StepRecord[] {
    return this.records.filter((record) => record.execution === execution);
  }

  /** How it ended: once, with this. */
  ended(execution: string): { readonly status: string; readonly output: Json } {
    const ends = this.of(execution).flatMap(({ events }) => events.flatMap((e) => (e.type === 'ended' ? [e] : [])));
    assert.equal(ends.length, 1, `${execution} has ended ${ends.length} times`);
    const { status, output } = ends[0]!;
    return { status, output };
  }

  graph(workflow: string): Graph {
    return this.#language.compile(this.#documents.get(workflow)!);
  }

  /** The graph of an execution as whoever opens its rows has it. */
  graphOf(execution: string): Graph {
    const rows = new StoredRows(this.rows(), execution);
    const { workflow, revision } = rows.header()!;
    return new GraphCache(this.#language).of(this.graph(workflow), execution, revision, () => rows.patches());
  }

  view(execution: string): ExecutionView {
    const rows = new StoredRows(this.rows(), execution);
    return viewOf({ rows, graph: this.graphOf(execution), output: null, endedAt: null });
  }

  status(execution: string, node: string): string | undefined {
    return this.view(execution).nodes.find(({ id }) => id === node)?.status;
  }

  /** Rows of the store as they stand. */
  rows(): MemoryStore {
    const rows = this.#driver.table<string, Json>(CONTROL_STORE).rows();
    return new MemoryStore([...rows].map(({ key, value }) => [key, value] as const));
  }
}
