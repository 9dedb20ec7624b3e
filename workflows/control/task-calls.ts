import { aborted } from '../../core/aborted.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { InlineContext, TaskContext } from '../catalog.ts';
import type { Language } from '../language.ts';
import { type Command, PROCESS_LOST } from '../lifecycle/lifecycle.ts';
import { failedNode } from '../segments/segments.ts';
import { CallGate, type QuarantineSettings } from './call-gate.ts';
import type { ClearedMessage, ClearMessage, CommandMessage, TaskMessage } from './messages.ts';
import type { Answered, SegmentCalls } from './segment-calls.ts';

export interface TaskCallsParts {
  /** Undefined: there are none, as in a simulation. */
  readonly segments?: Pick<SegmentCalls, 'run' | 'left' | 'clear'>;
  readonly language: Language;
  readonly clock: Pick<Clock, 'now'>;
  /** A name that no other process has, nor this one when it is started again. */
  readonly process: string;
  readonly quarantine: Omit<QuarantineSettings, 'heldAfter'>;
  /** Sends a command to the task's own execution, and waits for its answer. */
  tell(execution: string, command: Command): Promise<unknown>;
  /**
   * Says in the log that this process is about to call a task, or will when it may. Resolves when that is committed, with
   * what the partition of its execution says to it: `lost`, another process was calling it and has ended; `stale`, the
   * attempt was given up. See `callers.ts`.
   */
  take(task: TaskMessage, word: 'take' | 'wait', signal: AbortSignal): Promise<'taken' | 'lost' | 'stale'>;
  /** Says that this process goes on, and calls it no more; resolves when the log has it. */
  leave(task: TaskMessage): Promise<void>;
  /** Another process has ended while it called this. */
  lost?(task: TaskMessage): void;
  /** Whether the attempt still has its slot: asked of segments that are called again after a restart. */
  isWanted(task: TaskMessage): Promise<boolean>;
  /** What such a call is to go on from: the last checkpoint of its node, which may be younger than the call; or null. */
  checkpoint(task: TaskMessage): Promise<Json>;
  /** What its execution has been told since the call was asked for: of segments whose call is made again. */
  endOf(execution: string): Promise<'end' | 'savepoint' | undefined>;
}

/**
 * Calls of tasks in this process. The runtime makes them, and again after a crash; here is what stops them: an attempt
 * that is given up has its signal aborted, and its call is over for the engine then, whatever the function still does.
 * So it is with a task whose partition goes to another process.
 *
 * A call that another process was making when it ended is not made, but has failed: with class SYSTEM, which leaves the
 * attempts of users whole. What is called after that is called apart from others, as {@link CallGate} says.
 */
export class TaskCalls {
  readonly #parts: TaskCallsParts;
  /** Asked for by a step of this process, and not begun. */
  readonly #announced = new Map<string, Asked>();
  readonly #running = new Map<string, Asked>();
  /** Called in the name of this process. */
  readonly #taken = new Map<string, TaskMessage>();
  readonly #gate: CallGate;
  /** By name of the call: settled when what was told of it has been answered. */
  readonly #telling = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(parts: TaskCallsParts) {
    this.#parts = parts;
    this.#gate = new CallGate(parts.quarantine);
  }

  get process(): string {
    return this.#parts.process;
  }

  /** `careful`: it is called when the log has taken that it is. */
  announce(task: TaskMessage, careful: boolean): void {
    this.#announced.set(nameOf(task), asked(careful));
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

  /** Aborts what runs; it is called again by whoever goes on, who is told that this process has not died of it. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = [...this.#taken.values()];
    this.#taken.clear();
    for (const { stop } of this.#running.values()) stop.abort(new FlowError('stopped', 'the engine stops'));
    await Promise.allSettled(left.map((task) => this.#parts.leave(task)));
  }

  /** One call. `lost`: its partition is of this process no more, and whoever goes on makes it again. */
  call(message: TaskMessage | ClearMessage, lost: AbortSignal): Promise<CommandMessage | ClearedMessage> {
    return 'clear' in message ? this.#clear(message, lost) : this.#call(message, lost);
  }

  async #clear(message: ClearMessage, lost: AbortSignal): Promise<ClearedMessage> {
    try {
      await this.#parts.segments?.clear(message, lost);
    } catch (thrown) {
      if (this.#closed) return await new Promise<never>(() => {});
      throw thrown;
    }
    const { clear: cleared, x, id } = message;
    return { cleared, x, id };
  }

  /** What comes of it is a report to the execution. */
  async #call(task: TaskMessage, lost: AbortSignal): Promise<CommandMessage> {
    const name = nameOf(task);
    const announced = this.#announced.get(name);
    this.#announced.delete(name);
    const isTask = this.#isTask(task);
    if (this.#closed && isTask) {
      await this.#parts.leave(task).catch(() => undefined);
      return await new Promise<never>(() => {});
    }
    const told = announced ?? asked();
    this.#running.set(name, told);
    const { signal } = told.stop;
    let leave = () => {};
    if (isTask) lost.addEventListener('abort', () => this.#lose(task, told), { once: true });
    try {
      if (task.e) told.end.abort();
      if (isTask) leave = await this.#taking(task, told, announced === undefined);
      const made = announced === undefined ? await this.#caughtUp(task, told) : task;
      const answered = await Promise.race([this.#run(made, told), aborted(signal)]);
      await this.#isTold(name, signal);
      return this.#report(task, { ok: true, ...answered });
    } catch (thrown) {
      await this.#isTold(name, signal).catch(() => undefined);
      if (isFlowError(signal.reason, 'workflow.stale')) await this.#parts.segments?.left(task);
      // a call that the end of the engine cuts short says nothing: it is made again
      if (this.#closed) return await new Promise<never>(() => {});
      const { language } = this.#parts;
      const retryAfterMs = language.retryAfter?.(thrown);
      // of a segment it may be another node than the one that stands for it
      const error = language.failure(thrown, `/nodes/${failedNode(thrown) ?? task.n}`);
      return this.#report(task, { ok: false, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    } finally {
      leave();
      // where its partition went and came back, it is called again under this name
      if (this.#running.get(name) === told) {
        this.#taken.delete(name);
        this.#running.delete(name);
        this.#telling.delete(name);
      }
    }
  }

  #isTask({ type }: TaskMessage): boolean {
    return this.#parts.language.catalog.find(type)?.behaviour.kind !== 'operator';
  }

  /** Before it is called: whether it may be, when, and in whose name. Answers what says that it runs no more. */
  async #taking(task: TaskMessage, told: Asked, isAgain: boolean): Promise<() => void> {
    const { l: lost = 0 } = task;
    const { signal } = told.stop;
    if (isAgain && lost > 0) await this.#take(task, 'wait', signal);
    const leave = await this.#gate.enter(lost, signal);
    try {
      this.#taken.set(nameOf(task), task);
      if (isAgain || lost > 0 || told.careful) await this.#take(task, 'take', signal);
      return leave;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  async #take(task: TaskMessage, word: 'take' | 'wait', signal: AbortSignal): Promise<void> {
    const answer = await Promise.race([this.#parts.take(task, word, signal), aborted(signal)]);
    if (answer === 'stale') throw stale(task.x);
    if (answer === 'lost') {
      this.#parts.lost?.(task);
      const message = `the process that called ${task.node} ended while it ran`;
      throw new FlowError(PROCESS_LOST, message);
    }
  }

  /** It is called again where its partition is now, or here; whoever does is told that this process lives. */
  #lose(task: TaskMessage, told: Asked): void {
    const why = `${task.node} of ${task.x} is called again where its partition is now`;
    told.stop.abort(new FlowError('stopped', why));
    if (this.#taken.delete(nameOf(task))) void this.#parts.leave(task).catch(() => undefined);
  }

  /** What was told of a call has been taken: a report would overtake it. */
  async #isTold(name: string, signal: AbortSignal): Promise<void> {
    const telling = this.#telling.get(name);
    if (telling !== undefined) await Promise.race([telling, aborted(signal)]);
  }

  /** Of a call that is made again: whether it still is to be made, and what it would have been told meanwhile. */
  async #caughtUp(task: TaskMessage, told: Asked): Promise<TaskMessage> {
    if (this.#isTask(task)) return { ...task, resume: await this.#parts.checkpoint(task) };
    if (!(await this.#parts.isWanted(task))) throw stale(task.x);
    // what a segment goes on from was said when it was asked for
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
  readonly careful: boolean;
}

function asked(careful = false): Asked {
  return { stop: new AbortController(), end: new AbortController(), savepoint: new AbortController(), careful };
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
