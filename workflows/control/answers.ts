import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import { decodeStep, EVENTS_TOPIC, type StepRecord, stepHead } from '../../events/events.ts';
import { BatchView } from '../../log/batch.ts';
import type { Log, LogReader } from '../../log/log.ts';
import { Recent } from './recent.ts';

export interface AnswersParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly partitions: number;
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

interface EndWaiter {
  take(record: StepRecord): void;
  fail(reason: unknown): void;
}

/** So often it is looked for commands that wait for too long. */
const SWEEP_MS = 500;
/** Bytes of first steps that are kept for those who ask for the end as soon as the start is answered. */
const MOST_RECENT_BYTES = 16 * 1024 * 1024;

/**
 * One reader of the committed step records, for whoever waits in this process: for the answer to a command, by its id, or
 * for the end of an execution. Nothing but the heads of the others is decoded.
 */
export class Answers {
  readonly #parts: AnswersParts;
  readonly #reader: LogReader;
  readonly #pending = new Map<string, Pending>();
  readonly #ends = new Map<string, Set<EndWaiter>>();
  readonly #recent = new Recent(MOST_RECENT_BYTES);
  readonly #stop = new AbortController();
  readonly #view = new BatchView();
  #reading: Promise<void> | undefined;
  #failure: unknown;

  private constructor(parts: AnswersParts, reader: LogReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  static async open(parts: AnswersParts): Promise<Answers> {
    const { log, partitions } = parts;
    const reader = log.reader({ isolation: 'committed' });
    const bounds = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => log.admin.bounds(EVENTS_TOPIC, partition)),
    );
    reader.assign(bounds.map(({ stable }, partition) => ({ topic: EVENTS_TOPIC, partition, position: stable })));
    const answers = new Answers(parts, reader);
    answers.#reading = answers.#read();
    return answers;
  }

  /** To be called before the command is sent. `isKept`: of a start, whether its end may be asked for as it is answered. */
  to(id: string, isKept = true): Promise<Taken> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      // sent again while it is on its way: both are told
      const other = this.#pending.get(id);
      this.#pending.set(id, {
        since: this.#parts.clock.monotonic(),
        isKept,
        resolve(taken) {
          other?.resolve(taken);
          resolve(taken);
        },
        reject(reason) {
          other?.reject(reason);
          reject(reason);
        },
      });
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
    for (const id of [...this.#pending.keys()]) this.fail(id, reason);
    for (const waiting of this.#ends.values()) for (const { fail } of [...waiting]) fail(reason);
  }

  /** Calls with the step record in which the execution ends, or why nobody will be told; the answer stops that. */
  onEnd(execution: string, waiter: EndWaiter): () => void {
    if (this.#failure !== undefined) waiter.fail(this.#failure);
    const waiting = this.#ends.get(execution) ?? new Set();
    this.#ends.set(execution, waiting);
    waiting.add(waiter);
    return () => {
      waiting.delete(waiter);
      if (waiting.size === 0) this.#ends.delete(execution);
    };
  }

  /** The first step of an execution that was started from here a short while ago. */
  recent(execution: string): StepRecord | undefined {
    const bytes = this.#recent.get(execution);
    return bytes === undefined ? undefined : decodeStep(bytes);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
    await this.#reader.close();
    this.failAll(new FlowError('stopped', 'the engine has stopped; commands that were sent may still have an effect'));
  }

  async #read(): Promise<void> {
    const { clock } = this.#parts;
    let swept = clock.monotonic();
    while (!this.#stop.signal.aborted) {
      try {
        const list = await this.#reader.fetch(SWEEP_MS, this.#stop.signal);
        for (const fetched of list) {
          for (let b = 0; b < fetched.starts.length; b++) {
            this.#view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
            this.#take(fetched.position);
          }
          fetched.release();
        }
      } catch (thrown) {
        if (this.#stop.signal.aborted) return;
        this.failAll(thrown);
        return;
      }
      const now = clock.monotonic();
      if (now - swept > SWEEP_MS) {
        swept = now;
        this.#sweep(now);
      }
    }
  }

  #take(from: number): void {
    const { bytes, count, positions, valueStarts, valueEnds } = this.#view;
    for (let i = 0; i < count; i++) {
      const start = valueStarts[i]!;
      if (positions[i]! < from || start < 0) continue;
      const end = valueEnds[i]!;
      const head = stepHead(bytes, start, end);
      const id = head.cause.kind === 'command' ? head.cause.id : undefined;
      const pending = id === undefined ? undefined : this.#pending.get(id);
      const ends = head.seq > 0 ? this.#ends.get(head.execution) : undefined;
      if (pending === undefined && ends === undefined) continue;
      // a rejection is the only event of its step
      const record = ends !== undefined || head.count === 1 ? decodeStep(bytes, start, end) : undefined;
      if (pending !== undefined) {
        this.#pending.delete(id!);
        if (head.seq === 1 && pending.isKept)
          this.#recent.keep(head.execution, Buffer.from(bytes.subarray(start, end)));
        const event = record?.events[0];
        const rejected = event?.type === 'rejected' ? { code: event.code, why: event.why } : undefined;
        pending.resolve({ seq: head.seq, rejected });
      }
      if (record !== undefined && ends !== undefined && isLast(record)) for (const { take } of [...ends]) take(record);
    }
  }

  /** In order of sending, so the first that is young enough ends it. */
  #sweep(now: number): void {
    for (const [id, { since }] of this.#pending) {
      if (now - since < this.#parts.timeoutMs) return;
      const text = `no answer to command ${id} within ${this.#parts.timeoutMs} ms; it may still have an effect: send it again under the same id`;
      this.fail(id, new FlowError('workflow.unanswered', text));
    }
  }
}

/** Whether the execution ends in it. */
export function isLast({ events }: StepRecord): boolean {
  return events.some(({ type }) => type === 'ended');
}
