import { aborted } from '../../core/aborted.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { InlineContext, TaskContext } from '../catalog.ts';
import type { Language } from '../language.ts';
import type { Command } from '../lifecycle/lifecycle.ts';
import type { CommandMessage, TaskMessage } from './messages.ts';
import type { Answered, SegmentCalls } from './segment-calls.ts';

export interface TaskCallsParts {
  /** Undefined: there are none, as in a simulation. */
  readonly segments?: Pick<SegmentCalls, 'run'>;
  readonly language: Language;
  readonly clock: Pick<Clock, 'now'>;
  /** Sends a command to the task's own execution, and waits for its answer. */
  tell(execution: string, command: Command): Promise<unknown>;
  /** Whether the attempt still has its slot: asked of calls that are made again after a restart. */
  isWanted(task: TaskMessage): Promise<boolean>;
  /** What such a call is to go on from: the last checkpoint of its node, which may be younger than the call; or null. */
  checkpoint(task: TaskMessage): Promise<Json>;
  /** What its execution has been told since the call was asked for: of segments whose call is made again. */
  endOf(execution: string): Promise<'end' | 'savepoint' | undefined>;
}

/**
 * Calls of tasks in this process. The runtime makes them, and again after a crash; here is what stops them: an attempt
 * that is given up has its signal aborted, and its call is over for the engine then, whatever the function still does.
 */
export class TaskCalls {
  readonly #parts: TaskCallsParts;
  /** Asked for by a step of this process, and not begun. */
  readonly #announced = new Map<string, Asked>();
  readonly #running = new Map<string, Asked>();
  /** By name of the call: settled when what was told of it has been answered. */
  readonly #telling = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(parts: TaskCallsParts) {
    this.#parts = parts;
  }

  announce(task: TaskMessage): void {
    this.#announced.set(nameOf(task), asked());
  }

  /** `again`: another attempt goes on with what it has done. */
  abort(execution: string, at: Attempt & { readonly again?: true }): void {
    const name = nameOf({ x: execution, n: at.node, i: at.iteration, a: at.attempt });
    this.#announced.delete(name);
    this.#running.get(name)?.stop.abort(at.again ? goesOn(execution) : stale(execution));
  }

  /** For a segment: what is there is the whole, or it stops where it is and keeps what it has. */
  end(how: 'end' | 'savepoint', execution: string, at: Attempt): void {
    const name = nameOf({ x: execution, n: at.node, i: at.iteration, a: at.attempt });
    (this.#announced.get(name) ?? this.#running.get(name))?.[how].abort();
  }

  /** Aborts what runs; it is called again by whoever goes on. */
  close(): void {
    this.#closed = true;
    for (const { stop } of this.#running.values()) stop.abort(new FlowError('stopped', 'the engine stops'));
  }

  /** One call; what comes of it is a report to the execution. */
  async call(task: TaskMessage): Promise<CommandMessage> {
    const name = nameOf(task);
    const announced = this.#announced.get(name);
    this.#announced.delete(name);
    const told = announced ?? asked();
    this.#running.set(name, told);
    const { signal } = told.stop;
    try {
      if (task.e) told.end.abort();
      const made = announced === undefined ? await this.#caughtUp(task, told) : task;
      const answered = await Promise.race([this.#run(made, told), aborted(signal)]);
      await this.#isTold(name, signal);
      return this.#report(task, { ok: true, ...answered });
    } catch (thrown) {
      await this.#isTold(name, signal).catch(() => undefined);
      // a call that the end of the engine cuts short says nothing: it is made again
      if (this.#closed) return await new Promise<never>(() => {});
      const { language } = this.#parts;
      const retryAfterMs = language.retryAfter?.(thrown);
      const error = language.failure(thrown, `/nodes/${task.n}`);
      return this.#report(task, { ok: false, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    } finally {
      this.#running.delete(name);
      this.#telling.delete(name);
    }
  }

  /** What was told of a call has been taken: a report would overtake it. */
  async #isTold(name: string, signal: AbortSignal): Promise<void> {
    const telling = this.#telling.get(name);
    if (telling !== undefined) await Promise.race([telling, aborted(signal)]);
  }

  /** Of a call that is made again: whether it still is to be made, and what it would have been told meanwhile. */
  async #caughtUp(task: TaskMessage, told: Asked): Promise<TaskMessage> {
    if (!(await this.#parts.isWanted(task))) throw stale(task.x);
    // what a segment goes on from was said when it was asked for
    if (this.#parts.language.catalog.find(task.type)?.behaviour.kind !== 'operator') {
      return { ...task, resume: await this.#parts.checkpoint(task) };
    }
    const how = await this.#parts.endOf(task.x);
    if (how !== undefined) told[how].abort();
    return task;
  }

  #report(task: TaskMessage, outcome: Extract<Command, { type: 'report' }>['outcome']): CommandMessage {
    const { x, n, i, a } = task;
    const command: Command = { type: 'report', node: n, iteration: i, attempt: a, outcome };
    return { x, c: command, id: `report ${n} ${i} ${a}`, at: this.#parts.clock.now() };
  }

  #progress(task: TaskMessage, signal: AbortSignal, value: Json): void {
    if (signal.aborted) return;
    const { x, n, i, a } = task;
    const command: Command = { type: 'progress', node: n, iteration: i, attempt: a, value };
    const name = nameOf(task);
    const telling = Promise.allSettled([this.#telling.get(name), this.#parts.tell(x, command)]);
    this.#telling.set(name, telling);
  }

  async #run(task: TaskMessage, told: Asked): Promise<Answered> {
    const { signal } = told.stop;
    const type = this.#parts.language.catalog.find(task.type);
    if (type?.behaviour.kind === 'operator' && this.#parts.segments !== undefined) {
      const asks = { signal, end: told.end.signal, savepoint: told.savepoint.signal };
      return this.#parts.segments.run(task, asks, (value) => this.#progress(task, signal, value));
    }
    if (type?.behaviour.kind !== 'task') {
      throw new FlowError(
        'workflow.unknown-definition',
        `${task.type} is no task of this process; register it here too`,
      );
    }
    const { x, n, i, a } = task;
    const inner = inlineContext(task.at, x, task.node, i, a);
    const at = { node: n, iteration: i, attempt: a };
    const context: TaskContext = Object.assign(inner, {
      // the same in what goes on from a savepoint, where what had not completed begins again
      idempotencyKey: `${task.o ?? x}/${task.node}${i === '' ? '' : `/${i}`}`,
      signal,
      resume: (task.resume ?? undefined) as TaskContext['resume'],
      checkpoint: async (number: number, value: Json) => {
        if (signal.aborted) throw stale(x);
        await this.#parts.tell(x, { type: 'checkpoint', ...at, number, value });
      },
      progress: (value: Json) => this.#progress(task, signal, value),
    });
    return { outputs: await type.behaviour.run(task.config, task.inputs, context) };
  }
}

/** What a call may be told while it is on its way, or runs. */
interface Asked {
  readonly stop: AbortController;
  readonly end: AbortController;
  readonly savepoint: AbortController;
}

function asked(): Asked {
  return { stop: new AbortController(), end: new AbortController(), savepoint: new AbortController() };
}

interface Attempt {
  readonly node: number;
  readonly iteration: string;
  readonly attempt: number;
}

function nameOf({ x, n, i, a }: Pick<TaskMessage, 'x' | 'n' | 'i' | 'a'>): string {
  return `${x} ${n} ${i} ${a}`;
}

function goesOn(execution: string): FlowError {
  return new FlowError('stopped', `another attempt goes on with what this one of ${execution} has done`);
}

function stale(execution: string): FlowError {
  return new FlowError('workflow.stale', `the attempt of ${execution} was given up`);
}

/** Chance is drawn from the names of the attempt, so that it is the same whenever it runs. */
export function inlineContext(
  at: number,
  execution: string,
  node: string,
  iteration: string,
  attempt: number,
): InlineContext {
  let random: ReturnType<typeof seededRandom> | undefined;
  return {
    at,
    execution,
    node,
    iteration,
    attempt,
    random() {
      random ??= seededRandom(seedOf(`${execution} ${node} ${iteration} ${attempt}`));
      return random.next();
    },
  };
}
