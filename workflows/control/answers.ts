import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { Deadline } from '../../core/deadline.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { decodeStep, type StepRecord, stepHead, type Watcher } from '../../events/events.ts';
import type { BatchView } from '../../log/batch.ts';
import { Recent } from './recent.ts';

export interface AnswersParts {
  readonly clock: Clock;
  readonly timeoutMs: Millis;
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
  fail(reason: unknown): void;
}

/** Bytes of first steps that are kept for those who ask for the end as soon as the start is answered. */
const MOST_RECENT_BYTES = 16 * 1024 * 1024;

/**
 * Watches the committed step records that the feed reads, for whoever waits in this process: for the answer to a command,
 * by its id, or for the end of an execution. Nothing but the heads of the others is decoded.
 */
export class Answers implements Watcher {
  readonly #parts: AnswersParts;
  readonly #pending = new Map<string, Pending>();
  readonly #ends = new Map<string, readonly EndWaiter[]>();
  readonly #recent = new Recent(MOST_RECENT_BYTES);
  /** Of the command that was sent first, or of one before it. */
  readonly #deadline: Deadline;
  #failure: unknown;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#deadline = new Deadline(parts.clock, () => this.#sweep());
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
    });
  }

  /** The log did not take the command, or nobody waits any more. */
  fail(id: string, reason: unknown): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(reason);
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
    const left = (this.#ends.get(execution) ?? []).filter((each) => each !== waiter);
    if (left.length === 0) this.#ends.delete(execution);
    else this.#ends.set(execution, left);
  }

  /** The first step of an execution that was started from here a short while ago. */
  recent(execution: string): StepRecord | undefined {
    const bytes = this.#recent.get(execution);
    return bytes === undefined ? undefined : decodeStep(bytes);
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
      this.#pending.delete(id!);
      if (head.seq === 1 && pending.isKept) this.#recent.keep(head.execution, Buffer.from(bytes.subarray(start, end)));
      const event = record?.events[0];
      const rejected = event?.type === 'rejected' ? { code: event.code, why: event.why } : undefined;
      pending.resolve({ seq: head.seq, rejected });
    }
    if (record !== undefined && ends !== undefined && isLast(record)) for (const each of ends) each.take(record);
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

/** Whether the execution ends in it. */
export function isLast({ events }: StepRecord): boolean {
  return events.some(({ type }) => type === 'ended');
}
