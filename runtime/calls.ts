import type { Clock } from '../core/clock.ts';
import { doubled } from '../core/duration.ts';
import { FlowError } from '../core/errors.ts';
import { type Random, seededRandom, seedOf } from '../core/random.ts';
import type { Step } from '../core/step.ts';
import type { Call, Caller, CallResults } from '../operators/operators.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { CallSettings } from '../topology/plan.ts';
import { CallMetrics } from './call-metrics.ts';
import { MetricSet } from './metrics.ts';

export interface TaskCallsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly step: Step;
  readonly metrics: CallMetrics;
  /** A result has come. */
  notify(): void;
}

/**
 * The calls of one task, of all its operators that make some. Calls are made here, beside the loop; what comes of them
 * is kept by the operators until the task lets it leave.
 */
export class TaskCalls {
  readonly #parts: TaskCallsParts;
  readonly #lanes: Lane[] = [];
  #blocked: CallResults | undefined;

  constructor(parts: TaskCallsParts) {
    this.#parts = parts;
  }

  add(settings: CallSettings, results: CallResults): Caller {
    const lane = new Lane(this.#parts, settings, results, () => {
      this.#blocked = results;
    });
    this.#lanes.push(lane);
    return lane;
  }

  /** Records of which a call is on its way, or whose result has not left. */
  get inFlight(): number {
    let count = 0;
    for (const { results } of this.#lanes) count += results.inFlight;
    return count;
  }

  /** Attempts that have begun and not ended: pauses between attempts do not count. */
  get running(): number {
    let count = 0;
    for (const lane of this.#lanes) count += lane.running;
    return count;
  }

  /** An operator of which a result may leave now. */
  get ready(): CallResults | undefined {
    for (const { results } of this.#lanes) if (results.ready) return results;
    return undefined;
  }

  /** The operator that gave up the step rolled back last, since it was full. */
  takeBlocked(): CallResults | undefined {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    return blocked;
  }

  /** Begins the calls of records whose steps have settled. */
  begin(): void {
    for (const lane of this.#lanes) lane.fill();
  }

  /** The rows of an epoch are cut, and on their way. */
  cut(): void {
    for (const { results } of this.#lanes) results.cut();
  }

  /** They are committed: calls begin that waited for that. */
  committed(): void {
    for (const { results } of this.#lanes) results.committed();
    this.begin();
  }

  /** Gives up all calls: what they answer counts no more. */
  close(): void {
    for (const lane of this.#lanes) lane.close();
    this.#parts.metrics.close();
  }
}

export interface OpenCallsParts extends Pick<TaskCallsParts, 'clock' | 'step' | 'notify'> {
  readonly telemetry: Telemetry;
  readonly application: string;
  readonly task: string;
}

/** Tasks whose calls have failed together do not pause alike, since each draws from its own name. */
export function openCalls({ telemetry, application, task, ...parts }: OpenCallsParts): TaskCalls {
  const metrics = new CallMetrics(new MetricSet(telemetry, { application, task }));
  return new TaskCalls({ ...parts, random: seededRandom(seedOf(task)), metrics });
}

/** The calls of one operator. */
class Lane implements Caller {
  readonly results: CallResults;
  running = 0;
  readonly #parts: TaskCallsParts;
  readonly #settings: CallSettings;
  readonly #block: () => void;
  readonly #figures: ReturnType<CallMetrics['of']>;
  readonly #waiting: Call[] = [];
  readonly #ends = new Set<() => void>();
  /** Calls that have begun, also those between two attempts. */
  #open = 0;
  #closed = false;

  constructor(parts: TaskCallsParts, settings: CallSettings, results: CallResults, block: () => void) {
    this.results = results;
    this.#parts = parts;
    this.#settings = settings;
    this.#block = block;
    this.#figures = parts.metrics.of(results);
  }

  start(call: Call): void {
    this.#waiting.push(call);
  }

  waitFor(): never {
    this.#block();
    return this.#parts.step.miss();
  }

  now(): number {
    return this.#parts.clock.monotonic();
  }

  fill(): void {
    while (!this.#closed && this.#open < this.#settings.concurrency && this.#waiting.length > 0) {
      this.#open++;
      this.#attempt(this.#waiting.shift()!, 1);
    }
  }

  close(): void {
    this.#closed = true;
    for (const end of [...this.#ends]) end();
    this.#ends.clear();
  }

  #attempt(call: Call, attempt: number): void {
    const { clock, random } = this.#parts;
    const { timeoutMs, attempts } = this.#settings;
    const stop = new AbortController();
    const began = clock.monotonic();
    const end = () => {
      this.running--;
      this.#ends.delete(close);
      cancel();
    };
    const close = () => {
      end();
      stop.abort(new FlowError('task.lost', 'the task was given up; its calls are made again by the next owner'));
    };
    const settle = (outcome: CallOutcome, then: () => void) => {
      if (!this.#ends.has(close)) return;
      end();
      this.#figures.ended(outcome, clock.monotonic() - began);
      then();
    };
    const retry = (reason: unknown) => {
      if (attempt >= attempts) this.#over(() => call.failed(reason));
      else this.#pause(pauseMs(this.#settings, attempt, random), () => this.#attempt(call, attempt + 1));
    };
    const late = () => {
      const reason = new FlowError('record.failed', `no answer of ${this.results.node} within ${timeoutMs} ms`);
      settle('timeout', () => retry(reason));
      stop.abort(reason);
    };
    this.running++;
    this.#ends.add(close);
    const cancel = clock.after(timeoutMs, late);
    answerOf(() => call.begin(attempt, stop.signal)).then(
      (result) => settle('done', () => this.#over(() => call.done(result))),
      (reason: unknown) => settle('failed', () => retry(reason)),
    );
  }

  #pause(ms: number, task: () => void): void {
    const end = () => cancel();
    const cancel = this.#parts.clock.after(ms, () => {
      this.#ends.delete(end);
      task();
    });
    this.#ends.add(end);
    this.#parts.notify();
  }

  #over(tell: () => void): void {
    this.#open--;
    tell();
    this.fill();
    this.#parts.notify();
  }
}

type CallOutcome = 'done' | 'failed' | 'timeout';

async function answerOf(begin: () => unknown): Promise<unknown> {
  return await begin();
}

/** Twice as long with each attempt, and at random up to half shorter, so that calls which failed together part. */
function pauseMs({ backoffMs, maxBackoffMs }: CallSettings, attempt: number, random: Random): number {
  const whole = doubled(backoffMs, attempt - 1, maxBackoffMs);
  return Math.ceil(whole * (1 - random.next() / 2));
}
