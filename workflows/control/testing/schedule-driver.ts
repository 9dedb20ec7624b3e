import type { Json, Millis } from '../../../core/ids.ts';
import { decodeStep, type StepRecord } from '../../../events/events.ts';
import { TopologyDriver } from '../../../runtime/testing.ts';
import { createLanguage } from '../../create-language.ts';
import type { TriggerSpec, WorkflowDocument } from '../../document.ts';
import { startCommand } from '../../start-command.ts';
import { type CommandMessage, type Message, rootOf, scheduleKey } from '../messages.ts';
import { CONTROL_STORE, controlTopics, TIMERS_STORE } from '../program.ts';
import type { ScheduleRow } from '../schedule-row.ts';
import { tasklessProgram } from './taskless.ts';

const PARTITIONS = 3;

/** Schedules on a virtual clock. Executions of its workflows run until they are told to `go`. */
export class ScheduleDriver {
  readonly #driver: TopologyDriver;
  readonly #language = createLanguage();
  readonly #topics = controlTopics(PARTITIONS);
  readonly #records: StepRecord[] = [];
  readonly #compiled: (document: Json) => { readonly hash: string; readonly document: WorkflowDocument };
  #ids = 0;

  private constructor(driver: TopologyDriver) {
    this.#driver = driver;
    this.#compiled = (document) => this.#language.compile(document);
  }

  static async open(start: string): Promise<ScheduleDriver> {
    const startMs = Date.parse(start);
    return new ScheduleDriver(
      await TopologyDriver.open(tasklessProgram(PARTITIONS), { commit: 'on demand', onFailure: 'fail', startMs }),
    );
  }

  get clock(): TopologyDriver['clock'] {
    return this.#driver.clock;
  }

  /** `known`: the partitions that know of it; those of the others were not reached. */
  publish(document: Json, known: readonly number[] = [0, 1, 2]): void {
    const { hash, document: compiled } = this.#compiled(document);
    const { id, version } = compiled;
    const define = { id, version, hash, document, publishedAt: 0, publishedBy: null };
    for (const partition of known) this.#input.send('define', { define }, { partition });
    this.#input.send(scheduleKey(id), { define, schedule: true });
  }

  /** At once, as after a time in which nothing ran. */
  leapTo(time: string): void {
    this.#driver.advance(Date.parse(time) - this.#driver.clock.now());
  }

  /** Minute by minute. */
  walkTo(time: string, stepMs: Millis = 60_000): void {
    for (const end = Date.parse(time); this.#driver.clock.now() < end; ) this.#driver.advance(stepMs);
  }

  start(execution: string, document: WorkflowDocument): void {
    this.#command({ x: execution, w: document.id, c: startCommand(document, null), id: `start ${this.#ids++}` });
  }

  go(execution: string): void {
    const id = `go ${this.#ids++}`;
    this.#command({ x: execution, c: { type: 'signal', name: 'go', id, payload: null }, id });
  }

  commit(): void {
    this.#driver.commit();
    for (const { value } of this.#driver.output(this.#topics.events).read()) this.#records.push(decodeStep(value!));
  }

  /** What was not committed is done again. */
  crash(): Promise<void> {
    return this.#driver.crash();
  }

  async restart(): Promise<void> {
    this.commit();
    await this.#driver.rebalance();
  }

  /** Of what is committed, in the order of their starts. */
  get started(): readonly string[] {
    this.commit();
    return this.#records.filter(({ events }) => events[0]?.type === 'started').map(({ execution }) => execution);
  }

  input(execution: string): Json {
    const started = this.#records.find((each) => each.execution === execution)!.events[0]!;
    return started.type === 'started' ? started.input : null;
  }

  ended(execution: string): string | undefined {
    this.commit();
    const events = this.#records.filter((each) => each.execution === execution).flatMap((each) => each.events);
    const end = events.find(({ type }) => type === 'ended');
    return end?.type === 'ended' ? end.status : undefined;
  }

  /** When it started and ended. */
  span(execution: string): readonly [number, number] {
    const records = this.#records.filter((each) => each.execution === execution && each.seq > 0);
    const isOver = this.ended(execution) !== undefined;
    return [records[0]!.at, isOver ? records.at(-1)!.at : Number.POSITIVE_INFINITY];
  }

  get row(): ScheduleRow | undefined {
    for (const { key, value } of this.#driver.table<string, Json>(CONTROL_STORE).rows()) {
      if (key.startsWith('\0D')) return value as unknown as ScheduleRow;
    }
    return undefined;
  }

  get timers(): number {
    return [...this.#driver.table(TIMERS_STORE).rows()].length;
  }

  get #input() {
    return this.#driver.input<string, Message>(this.#topics.commands);
  }

  #command(message: CommandMessage): void {
    this.#input.send(rootOf(message.x), message);
  }
}

export function waiting(trigger: TriggerSpec, version = '1.0.0'): WorkflowDocument {
  return {
    ...{ apiVersion: 'nodeflow/v1', id: 'nightly', name: 'Nightly', version, triggers: [trigger] },
    nodes: [{ id: 'wait', type: 'wait.signal', data: { config: { name: 'go' } } }],
    edges: [],
  };
}

/** Ends in its first step. */
export function instant(trigger: TriggerSpec, version = '1.0.0'): WorkflowDocument {
  const nodes = [{ id: 'at', type: 'expression', data: { config: { value: '= input.schedule.at' } } }];
  return { ...waiting(trigger, version), nodes };
}
