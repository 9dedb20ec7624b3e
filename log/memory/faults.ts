import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';

/** What can go wrong on purpose. Each kind has a counter, so that a test can show that it did. */
export const FAULTS = [
  /** The request is executed; its answer takes `lateMs` longer. */
  'late-answer',
  /** The request is executed; the answer is `log.timeout`. */
  'lost-answer',
  /** The request is not executed; the answer is `log.timeout`. */
  'lost-request',
  /** A transaction is decided at once, but its markers reach the partitions only after `lateMs`. */
  'late-markers',
  /** Likewise, the input positions of a transaction: `committed` waits for them. */
  'unstable-positions',
  /** The log aborts the open transaction; the answer is `log.aborted`. */
  'abort',
  /** A member's heartbeats get lost until its session has ended. */
  'lost-member',
] as const;
export type Fault = (typeof FAULTS)[number];

export type FaultRequest = 'append' | 'positions' | 'commit' | 'abort' | 'fetch' | 'committed' | 'admin' | 'heartbeat';

export interface FaultOptions {
  /** Chance in [0, 1] of each kind, at each request it applies to. Default 0. */
  readonly chances?: Partial<Record<Fault, number>>;
  /** How late a late thing is at most. Default 200. */
  readonly lateMs?: Millis;
}

const NO_OUTCOME: readonly FaultRequest[] = ['fetch', 'committed', 'admin'];

export class Faults {
  /** How often each kind has happened. */
  readonly fired: Record<Fault, number>;
  readonly #clock: Clock;
  readonly #random: Random;
  #options: FaultOptions;
  #ordered: { readonly fault: Fault; readonly request: FaultRequest | undefined; left: number }[] = [];

  constructor(clock: Clock, random: Random, options: FaultOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.fired = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  }

  /** Makes the next `times` requests (of one kind, or of any that the fault applies to) fail so. */
  order(fault: Fault, request?: FaultRequest, times = 1): void {
    this.#ordered.push({ fault, request, left: times });
  }

  /** Replaces the chances; an empty object heals everything, also what was ordered. */
  set(options: FaultOptions): void {
    this.#options = options;
    this.#ordered = [];
  }

  get lateMs(): Millis {
    return Math.ceil((this.#options.lateMs ?? 200) * (0.5 + this.#random.next() / 2));
  }

  /** Whether the fault happens at this request; counts it. */
  strikes(fault: Fault, request: FaultRequest): boolean {
    const found = this.#ordered.findIndex((order) => order.fault === fault && (order.request ?? request) === request);
    if (found >= 0) {
      if (--this.#ordered[found]!.left <= 0) this.#ordered.splice(found, 1);
    } else {
      const chance = this.#options.chances?.[fault] ?? 0;
      if (chance === 0 || this.#random.next() >= chance) return false;
    }
    this.fired[fault]++;
    return true;
  }

  /** Executes a request at once, and answers as the faults say. `what` names it in messages. */
  async request<T>(request: FaultRequest, what: string, execute: () => T): Promise<T> {
    if (!NO_OUTCOME.includes(request) && this.strikes('lost-request', request)) {
      await this.#clock.sleep(this.lateMs);
      throw timeout(what);
    }
    const answer = execute();
    if (this.strikes('late-answer', request)) await this.#clock.sleep(this.lateMs);
    if (!NO_OUTCOME.includes(request) && this.strikes('lost-answer', request)) {
      await this.#clock.sleep(this.lateMs);
      throw timeout(what);
    }
    return answer;
  }
}

function timeout(what: string): FlowError {
  return new FlowError('log.timeout', `${what} was not answered in time; it may have been done or not`);
}
