import assert from 'node:assert/strict';
import type { Json } from '../../../core/ids.ts';
import { decodeStep, type SessionUseEvent, type StepEvent, type StepRecord } from '../../../events/events.ts';
import { TopologyDriver } from '../../../runtime/testing.ts';
import { createLanguage } from '../../create-language.ts';
import type { NodeSpec, SessionSpec, WorkflowDocument } from '../../document.ts';
import type { Command } from '../../lifecycle/lifecycle.ts';
import { SESSION_ROW } from '../../lifecycle/row.ts';
import { isSessionAddress, sessionAddress } from '../../sessions/sessions.ts';
import { startCommand } from '../../start-command.ts';
import type { SessionView, StartOptions } from '../../workflows.ts';
import { fold, MemoryStore } from '../memory-rows.ts';
import { type CommandMessage, type Message, rootOf } from '../messages.ts';
import { CONTROL_STORE, controlTopics, TIMERS_STORE } from '../program.ts';
import { runInline } from '../run-inline.ts';
import { foldSession, sessionView } from '../session-desk.ts';
import { SessionRows } from '../session-rows.ts';
import { StoredRows } from '../stored-rows.ts';
import { tasklessProgram } from './taskless.ts';

const PARTITIONS = 3;
const START_MS = 1_000_000;
export const SECOND = 1000;
export const MINUTE = 60_000;

/** Executions that use sessions, on a virtual clock. */
export class SessionDriver {
  readonly #driver: TopologyDriver;
  readonly #language = createLanguage();
  readonly #lifecycle = this.#language.lifecycle(runInline);
  readonly #topics = controlTopics(PARTITIONS);
  readonly #documents = new Map<string, WorkflowDocument>();
  readonly records: StepRecord[] = [];
  #ids = 0;

  private constructor(driver: TopologyDriver) {
    this.#driver = driver;
  }

  static async open(...documents: readonly WorkflowDocument[]): Promise<SessionDriver> {
    const options = { commit: 'on demand', onFailure: 'fail', startMs: START_MS } as const;
    const driver = new SessionDriver(await TopologyDriver.open(tasklessProgram(PARTITIONS), options));
    for (const document of documents) driver.#publish(document);
    return driver;
  }

  #publish(document: WorkflowDocument): void {
    const json = document as unknown as Json;
    const faults = this.#language.validate(json);
    if (faults.length > 0) throw new Error(JSON.stringify(faults));
    const { hash } = this.#language.compile(json);
    const { id, version } = document;
    const define = { id, version, hash, document: json, publishedAt: 0, publishedBy: null };
    for (let partition = 0; partition < PARTITIONS; partition++) this.#input.send('define', { define }, { partition });
    this.#documents.set(id, document);
  }

  get now(): number {
    return this.#driver.clock.now();
  }

  /** The clock leaps. */
  advance(ms: number): void {
    this.#driver.advance(ms);
  }

  start(execution: string, workflow: string, input: Json, options: StartOptions = {}): void {
    const c = startCommand(this.#documents.get(workflow)!, input, options);
    this.#send({ x: execution, w: workflow, v: '1.0.0', c, id: this.#id() });
  }

  tell(execution: string, command: Command): void {
    this.#send({ x: execution, c: command, id: this.#id() });
  }

  cancel(execution: string): void {
    this.tell(execution, { type: 'cancel', reason: 'not wanted', node: null, graceMs: SECOND });
  }

  go(execution: string): void {
    this.tell(execution, { type: 'signal', name: 'go', id: this.#id(), payload: null });
  }

  clear(name: string, id: string): void {
    const address = sessionAddress({ name, id });
    this.#input.send(address, { session: address, s: { do: 'clear' }, id: this.#id() });
  }

  /** What is on its way between executions and sessions comes a commit later each. */
  settle(): void {
    for (let before = -1; before !== this.records.length; ) {
      before = this.records.length;
      this.commit();
    }
  }

  commit(): void {
    this.#driver.commit();
    for (const { value } of this.#driver.output(this.#topics.events).read()) {
      const record = decodeStep(value!);
      if (record.seq > 0) this.records.push(record);
    }
  }

  /** What is kept of an execution is the fold of its step records, and so is what it has of its session. */
  compareRows(execution: string): void {
    const stored = new StoredRows(this.rows(), execution);
    const header = stored.header();
    if (header === undefined) return;
    const records = this.records.filter((each) => each.execution === execution);
    const base = this.#language.compile(this.#documents.get(header.workflow) as unknown as Json);
    const { rows } = fold(execution, records, { lifecycle: this.#lifecycle, base, patch: () => base });
    assert.deepEqual(rows.header(), header);
    for (const { name } of base.session?.keys ?? []) {
      assert.deepEqual(rows.output(SESSION_ROW, name), stored.output(SESSION_ROW, name));
    }
  }

  crash(): Promise<void> {
    return this.#driver.crash();
  }

  async restart(): Promise<void> {
    this.commit();
    await this.#driver.rebalance();
  }

  of(execution: string): readonly StepRecord[] {
    this.settle();
    return this.records.filter((each) => each.execution === execution);
  }

  end(execution: string): Extract<StepEvent, { type: 'ended' }> | undefined {
    const events = this.of(execution).flatMap((each) => each.events);
    return events.find((each) => each.type === 'ended') as Extract<StepEvent, { type: 'ended' }> | undefined;
  }

  /** Its status, with the code of its error; `waits` before it holds its session. */
  state(execution: string): string {
    const end = this.end(execution);
    if (end !== undefined) return end.error === null ? end.status : `${end.status} ${end.error.code}`;
    return this.held(execution) === undefined ? 'waits' : 'runs';
  }

  /** What it found when its turn came. */
  held(execution: string): Extract<SessionUseEvent, { type: 'session-held' }> | undefined {
    const events = this.of(execution).flatMap((each) => each.events);
    return events.find((each) => each.type === 'session-held') as never;
  }

  /** By the rows; the fold of its records says the same. */
  session(name: string, id: string): SessionView | undefined {
    this.settle();
    const session = { name, id };
    const address = sessionAddress(session);
    return sessionView(new SessionRows(this.rows(), address), session, this.now);
  }

  sessionAt(name: string, id: string, at: number): SessionView | undefined {
    const address = sessionAddress({ name, id });
    const records = this.of(address).filter((each) => each.at <= at);
    return sessionView(foldSession(address, records), { name, id }, at);
  }

  get addresses(): ReadonlySet<string> {
    return new Set(this.records.map(({ execution }) => execution).filter(isSessionAddress));
  }

  rows(): MemoryStore {
    const rows = this.#driver.table<string, Json>(CONTROL_STORE).rows();
    return new MemoryStore([...rows].map(({ key, value }) => [key, value] as const));
  }

  get timers(): number {
    return [...this.#driver.table(TIMERS_STORE).rows()].length;
  }

  get #input() {
    return this.#driver.input<string, Message>(this.#topics.commands);
  }

  #send(message: CommandMessage): void {
    this.#input.send(rootOf(message.x), message);
  }

  #id(): string {
    return `c${this.#ids++}`;
  }
}

/** A workflow that holds a session of `input.user`, by default `cart` with a list of texts and a number. */
export function using(
  id: string,
  nodes: readonly NodeSpec[],
  edges: readonly (readonly [string, string])[] = [],
  session: Partial<SessionSpec> = {},
): WorkflowDocument {
  const keys = { items: { schema: { type: 'array', items: { type: 'string' } }, default: [] }, visits: { default: 0 } };
  return {
    ...{ apiVersion: 'nodeflow/v1', id, name: id, version: '1.0.0' },
    session: { name: 'cart', id: '= input.user', ttl: '10s', keys, ...session },
    nodes,
    edges: edges.map(([source, target]) => ({ source, target })),
  };
}

/** Puts an item into the cart, and counts the visit. */
export const ADD: NodeSpec = {
  id: 'add',
  type: 'expression',
  data: {
    config: { value: '= session.items.size() < 100 ? session.items + [input.item] : session.items' },
    session: { read: ['items', 'visits'], write: { items: '= outputs.out', visits: '= session.visits + 1' } },
  },
};

export const WAIT: NodeSpec = { id: 'wait', type: 'wait.signal', data: { config: { name: 'go' } } };

/** Fails as soon as it begins. */
export const BREAK: NodeSpec = { id: 'break', type: 'expression', data: { config: { value: '= input.none' } } };
