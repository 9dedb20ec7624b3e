import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { Deadline } from '../../core/deadline.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { jsonCopy } from '../../core/json-copy.ts';
import { decodeStep, type StepEvent, type StepRecord, stepHead, type Watcher } from '../../events/events.ts';
import type { BatchView } from '../../log/batch.ts';
import { Recent } from './recent.ts';

export interface AnswersParts {
  readonly clock: Clock;
  readonly timeoutMs: Millis;
  /** Somebody waits for what the feed reads. */
  wake(): void;
}

/** What came of a command: the step, or why there was none. */
export interface Taken {
  readonly seq: number;
  readonly rejected: { readonly code: string; readonly why: string } | undefined;
}

interface Pending {
  readonly since: number;
  /** Who asks may want to know next how it has ended. */
  readonly isKept: boolean;
  resolve(taken: Taken): void;
  reject(reason: unknown): void;
}

export interface EndWaiter {
  take(record: StepRecord): void;
  /** In place of it, for whom the end alone is enough, where the coordinator itself has told it. */
  told?(ended: Ended): void;
  fail(reason: unknown): void;
}

export type Ended = Extract<StepEvent, { readonly type: 'ended' }>;

/** What a coordinator of this process has decided upon a command. */
export interface Told {
  readonly id: string;
  readonly execution: string;
  readonly taken: Taken;
  /** Where the execution ends in the step. */
  readonly ended: Ended | undefined;
}

/** Bytes of first steps that are kept for those who ask for the end as soon as the start is answered. */
const MOST_RECENT_BYTES = 16 * 1024 * 1024;

/**
 * Tells whoever waits in this process for the answer to a command, by its id, or for the end of an execution. It watches
 * the committed step records that the feed reads, of which nothing but the heads is decoded where nobody waits for them;
 * what a coordinator of this process has decided, it may tell itself once it is committed, and that is the sooner way.
 *
 * Only who is *heeded* makes the feed read for him. Whoever may yet be told by a coordinator need not be.
 */
export class Answers implements Watcher {
  readonly #parts: AnswersParts;
  readonly #pending = new Map<string, Pending>();
  readonly #heeded = new Set<string | EndWaiter>();
  readonly #ends = new Map<string, readonly EndWaiter[]>();
  readonly #recent = new Recent(MOST_RECENT_BYTES);
  /** Of the command that was sent first, or of one before it. */
  readonly #deadline: Deadline;
  #failure: unknown;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#deadline = new Deadline(parts.clock, () => this.#sweep());
  }

  get waits(): boolean {
    return this.#heeded.size > 0;
  }

  /** What he waits for comes through the log: of a command, by its id, or of the end of an execution. */
  heed(waiting: string | EndWaiter): void {
    const isThere = typeof waiting !== 'string' || this.#pending.has(waiting);
    if (!isThere || this.#heeded.has(waiting)) return;
    this.#heeded.add(waiting);
    this.#parts.wake();
  }

  /** To be called before the command is sent. `isKept`: of a start, whether its end may be asked for as it is answered. */
  to(id: string, isKept = true): Promise<Taken> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#pending.size === 0) this.#deadline.set(this.#parts.timeoutMs);
    return new Promise((resolve, reject) => {
      const mine: Pending = { since: this.#parts.clock.monotonic(), isKept, resolve, reject };
      const other = this.#pending.get(id);
      // behind those that were sent before it
      if (other !== undefined) this.#pending.delete(id);
      this.#pending.set(id, other === undefined ? mine : both(other, mine));
      // the bytes of its step are what the feed reads
      if (isKept) this.heed(id);
    });
  }

  /** The log did not take the command, or nobody waits any more. */
  fail(id: string, reason: unknown): void {
    this.#taken(id)?.reject(reason);
  }

  /** Nobody will answer any more. */
  failAll(reason: unknown): void {
    this.#failure ??= reason;
    this.failed(reason);
  }

  /** Whoever waits is told; whoever comes later may be lucky. */
  failed(reason: unknown): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, reason);
    for (const waiting of this.#ends.values()) for (const each of waiting) each.fail(reason);
  }

  /** Tells the step record in which the execution ends, or why nobody will be told, until it is forgotten. */
  onEnd(execution: string, waiter: EndWaiter): void {
    if (this.#failure !== undefined) waiter.fail(this.#failure);
    this.#ends.set(execution, [...(this.#ends.get(execution) ?? []), waiter]);
  }

  forget(execution: string, waiter: EndWaiter): void {
    this.#heeded.delete(waiter);
    const left = (this.#ends.get(execution) ?? []).filter((each) => each !== waiter);
    if (left.length === 0) this.#ends.delete(execution);
    else this.#ends.set(execution, left);
  }

  /** The first step of an execution that was started from here a short while ago. */
  recent(execution: string): StepRecord | undefined {
    const bytes = this.#recent.get(execution);
    return bytes === undefined ? undefined : decodeStep(bytes);
  }

  /** Once the step is committed. */
  told({ id, execution, taken, ended }: Told): void {
    this.#taken(id)?.resolve(taken);
    if (ended === undefined) return;
    for (const each of this.#ends.get(execution) ?? []) each.told?.(ended);
  }

  close(): void {
    this.#deadline.close();
    this.failAll(new FlowError('stopped', 'the engine has stopped; commands that were sent may still have an effect'));
  }

  take({ bytes, count, positions, valueStarts, valueEnds }: BatchView, from: Position): void {
    for (let i = 0; i < count; i++) {
      const start = valueStarts[i]!;
      if (positions[i]! < from || start < 0) continue;
      try {
        this.#take(bytes, start, valueEnds[i]!);
      } catch {
        // subscribers of the feed are told of what is no step record
      }
    }
  }

  #take(bytes: Bytes, start: number, end: number): void {
    const head = stepHead(bytes, start, end);
    const id = head.cause.kind === 'command' ? head.cause.id : undefined;
    const pending = id === undefined ? undefined : this.#pending.get(id);
    const ends = head.seq > 0 ? this.#ends.get(head.execution) : undefined;
    if (pending === undefined && ends === undefined) return;
    // a rejection is the only event of its step
    const record = ends !== undefined || head.count === 1 ? decodeStep(bytes, start, end) : undefined;
    if (pending !== undefined) {
      this.#taken(id!);
      if (head.seq === 1 && pending.isKept) this.#recent.keep(head.execution, Buffer.from(bytes.subarray(start, end)));
      pending.resolve({ seq: head.seq, rejected: record === undefined ? undefined : rejectionOf(record.events) });
    }
    if (record !== undefined && ends !== undefined && isLast(record)) for (const each of ends) each.take(record);
  }

  /** Nobody waits for its answer any more; whoever did until now. */
  #taken(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    this.#heeded.delete(id);
    return pending;
  }

  /** In order of sending, so the first that is young enough ends it. */
  #sweep(): void {
    const now = this.#parts.clock.monotonic();
    const { timeoutMs } = this.#parts;
    for (const [id, { since }] of this.#pending) {
      const left = since + timeoutMs - now;
      if (left > 0) {
        this.#deadline.set(left);
        return;
      }
      const text = `no answer to command ${id} within ${timeoutMs} ms; it may still have an effect: send it again under the same id`;
      this.fail(id, new FlowError('workflow.unanswered', text));
    }
  }
}

/** Of a command that was sent again while it was on its way: both are told. */
function both(one: Pending, other: Pending): Pending {
  return {
    ...other,
    resolve(taken) {
      one.resolve(taken);
      other.resolve(taken);
    },
    reject(reason) {
      one.reject(reason);
      other.reject(reason);
    },
  };
}

/** To be asked for as the step is made: nodes may change later what they have put out, and the step not. */
export function toldOf(id: string, step: StepRecord): Told {
  const { execution, seq, events } = step;
  const ended = seq > 0 ? endOf(step) : undefined;
  const copy = ended === undefined ? undefined : jsonCopy({ output: ended.output, error: ended.error }).value;
  const taken = { seq, rejected: rejectionOf(events) };
  return { id, execution, taken, ended: ended === undefined ? undefined : { ...ended, ...copy } };
}

function rejectionOf([event]: readonly StepEvent[]): Taken['rejected'] {
  return event?.type === 'rejected' ? { code: event.code, why: event.why } : undefined;
}

export function endOf({ events }: Pick<StepRecord, 'events'>): Ended | undefined {
  return events.find((event) => event.type === 'ended');
}

/** Whether the execution ends in it. */
export function isLast(step: StepRecord): boolean {
  return endOf(step) !== undefined;
}
