import type { Millis } from '../core/ids.ts';
import { MISS, type Step } from '../core/step.ts';
import type { KeptNumber, Operator, ResumableScan } from '../operators/operators.ts';
import type { TaskState } from '../state/state.ts';
import type { EarlyEnd } from './build.ts';
import type { Failures } from './failures.ts';
import type { Input } from './inputs.ts';
import { soundTime } from './record-time.ts';
import type { ScanRequests } from './scan-requests.ts';
import type { SchemaWaits } from './schema-waits.ts';
import type { StageClock } from './stage-clock.ts';
import { TaskEndings } from './task-endings.ts';
import type { Timers } from './timers.ts';

/** What a call of {@link Task.run} came to. */
export type RunResult =
  /** Nothing to do until something comes. */
  | 'idle'
  /** The limit was reached; there is more. */
  | 'busy'
  /** A cold read: await {@link Task.fetchMissed}, then run again. */
  | 'miss';

export interface TaskParts {
  readonly id: string;
  readonly step: Step;
  readonly state: TaskState;
  readonly inputs: readonly Input[];
  /** In topological order. */
  readonly operators: readonly Operator[];
  /** Of a bounded run; see `build.ts`. */
  readonly early?: readonly EarlyEnd[];
  readonly scans: ScanRequests;
  readonly streamTime: KeptNumber;
  readonly timers: Timers;
  /** The clock of the stage, where its inputs tell it. */
  readonly clock?: StageClock | undefined;
  readonly failures: Failures;
  /** Called when a batch of output is full, between steps. */
  flush(): void;
  readonly outputs: { readonly full: boolean };
  /** Schemas that records are met with and that are not known yet; see `schemas/registry/registry.ts`. */
  readonly schemas?: SchemaWaits | undefined;
  /** How often the ports of nodes were pushed to; see `node-counts.ts`. */
  readonly counts: Float64Array;
}

/**
 * One task: takes the oldest record among its inputs, pushes it depth-first through its operators, and goes on,
 * until its inputs are empty or the caller's limit is reached. Everything here is synchronous; a cold read ends the
 * run with 'miss'. See core/step.ts for how a record is undone and run again.
 */
export class Task {
  readonly id: string;
  readonly state: TaskState;
  readonly inputs: readonly Input[];
  /** Records taken since the start. */
  records = 0;
  /** Something happened since the last commit. */
  worked = false;

  readonly #parts: TaskParts;
  readonly #step: Step;
  readonly #scans: ResumableScan[];
  /** The input whose record missed, or undefined when a scan or a timer did. */
  #missed: Input | undefined;
  readonly #endings: TaskEndings;
  #passed = 0;
  /** Nothing runs before a schema has come. */
  #waiting = false;

  constructor(parts: TaskParts) {
    this.id = parts.id;
    this.state = parts.state;
    this.inputs = parts.inputs;
    this.#parts = parts;
    this.#step = parts.step;
    this.#scans = parts.scans.pending;
    this.#endings = new TaskEndings(parts.inputs, parts.operators, parts.early ?? [], {
      attempt: (work) => this.#attempt(work),
      runScans: () => this.#runScans(),
      worked: () => {
        this.worked = true;
      },
    });
    for (const operator of parts.operators) {
      if (operator.start !== undefined) this.#scans.push(startOf(operator));
    }
    if (parts.clock !== undefined) this.#scans.push(parts.clock);
  }

  /** The largest event time taken; -1 before any. */
  get streamTime(): Millis {
    return this.#parts.streamTime.value;
  }

  /** Something is begun that goes on before the next record. */
  get scanning(): boolean {
    return this.#scans.length > 0;
  }

  /** All inputs have ended, all windows are flushed; only the last commit is owed. */
  get finished(): boolean {
    return this.#endings.finished;
  }

  /** Topics that it writes no more, though it goes on. */
  get endedTopics(): ReadonlySet<string> {
    return this.#endings.topics;
  }

  /** Takes up to `max` records. */
  run(max: number): RunResult {
    if (this.#waiting) return 'idle';
    const { schemas } = this.#parts;
    let left = max;
    for (;;) {
      this.#takeNews();
      if (!this.#runScans()) return 'miss';
      if (left <= 0) return 'busy';
      const asked = schemas?.asked;
      const input = this.#choose();
      // the event time of a record could not be read, so that none can be chosen
      if (schemas?.asked !== asked) return 'miss';
      this.#countPassed();
      if (this.#parts.clock?.news) continue;
      if (input === undefined) return this.#endings.advance() ? 'idle' : 'miss';
      const before = left;
      left = this.#runInput(input, left);
      const taken = before - Math.abs(left);
      this.records += taken;
      input.taken += taken;
      if (left < 0) return 'miss';
    }
  }

  /** Time moves before the next record where an input told so. */
  #takeNews(): void {
    const { clock } = this.#parts;
    if (clock === undefined || !clock.news) return;
    clock.news = false;
    this.worked = true;
    this.#askFor(clock);
  }

  #askFor(scan: ResumableScan): void {
    if (!this.#scans.includes(scan)) this.#scans.push(scan);
  }

  /** The input with the oldest head; undefined while one that may hold older records is awaited. */
  #choose(): Input | undefined {
    const { inputs } = this;
    if (inputs.length === 1) {
      const only = inputs[0]!;
      return only.fill() && !isAhead(only) ? only : undefined;
    }
    let oldest: Input | undefined;
    for (const input of inputs) {
      if (!input.fill()) {
        if (input.awaited) return undefined;
        continue;
      }
      if (oldest === undefined || input.head < oldest.head) oldest = input;
    }
    return oldest === undefined || isAhead(oldest) ? undefined : oldest;
  }

  /** Takes note of batches that went by unopened. */
  #countPassed(): void {
    let passed = 0;
    for (const input of this.inputs) passed += input.passed;
    if (passed === this.#passed) return;
    this.records += passed - this.#passed;
    this.#passed = passed;
    this.worked = true;
  }

  /** The smallest head of the other inputs: up to there this one may run on. */
  #limitFor(input: Input): number {
    let limit = input.ceiling === undefined ? Number.POSITIVE_INFINITY : input.ceiling();
    if (this.inputs.length === 1) return limit;
    let before = true;
    for (const other of this.inputs) {
      if (other === input) {
        before = false;
        continue;
      }
      if (other.left > 0) limit = Math.min(limit, before ? other.head - 1 : other.head);
    }
    return limit;
  }

  /**
   * Runs one input until its batch ends, another input is older, or `left` is used up. Answers what is left of the
   * limit; on a miss the negative of it (minus one where it is 0).
   */
  #runInput(input: Input, left: number): number {
    const step = this.#step;
    const { record, screen } = input;
    const { streamTime, timers, outputs } = this.#parts;
    const limit = this.#limitFor(input);
    const alone = limit === Number.POSITIVE_INFINITY;
    const scans = this.#scans;
    this.worked = true;
    do {
      let { push } = input;
      if (screen !== undefined) {
        left -= this.#sift(input, left, limit);
        if (left <= 0 || input.left === 0) break;
        if (!alone && input.head > limit) break;
        if (input.accepted) push = screen.next;
      }
      step.begin();
      try {
        input.load();
        if (record.timestamp > streamTime.value) streamTime.set(record.timestamp);
        else if (record.timestamp < 0) soundTime(record.timestamp);
        push(record);
        if (step.missed) throw MISS;
      } catch (thrown) {
        step.rollback();
        if (step.missed && this.#parts.scans.takeFirst()) return left;
        if (step.missed || !this.#handled(thrown, input)) {
          this.#missed = input;
          return left === 0 ? -1 : -left;
        }
      }
      step.settle();
      input.shift();
      left--;
      if (outputs.full) this.#parts.flush();
      if (timers.due()) scans.push(timers);
    } while (left > 0 && scans.length === 0 && input.left > 0 && (alone || input.head <= limit));
    return left;
  }

  /** False where the failure cannot be judged yet: whether the record can be decoded, a schema has to tell. */
  #handled(thrown: unknown, input: Input): boolean {
    try {
      this.#parts.failures.handle(thrown, input);
      return true;
    } catch (again) {
      if (again !== MISS) throw again;
      return false;
    }
  }

  /** Lets the input pass over what its screen drops, as if each record had been pushed; answers how many. */
  #sift(input: Input, most: number, limit: Millis): number {
    const { streamTime, timers } = this.#parts;
    const passed = input.sift(most, Math.min(limit, timers.nextDue - 1));
    if (passed > 0 && input.siftedTime > streamTime.value) {
      this.#step.begin();
      streamTime.set(input.siftedTime);
      this.#step.settle();
    }
    return passed;
  }

  /** Runs what scans are pending, row by row; false on a miss. */
  #runScans(): boolean {
    const scans = this.#scans;
    while (scans.length > 0) {
      this.worked = true;
      const result = this.#advance(scans[0]!);
      if (result === 'miss') return false;
      if (result === 'again') continue;
      if (!result) this.#endScan();
      if (this.#parts.outputs.full) this.#parts.flush();
    }
    return true;
  }

  /** What a scan put out held the clocks of operators behind it back until now. */
  #endScan(): void {
    const { clock, timers } = this.#parts;
    const ended = this.#scans.shift();
    if (clock === undefined) return;
    if (ended !== clock) {
      if (clock.heldBack) this.#askFor(clock);
    } else if (timers.due()) this.#askFor(timers);
  }

  /** One piece of a scan. Where user code behind it fails and policy says to go on, the piece is passed over. */
  #advance(scan: ResumableScan): boolean | 'miss' | 'again' {
    try {
      return this.#attempt(scan);
    } catch (thrown) {
      if (scan.skip === undefined) throw thrown;
      this.#parts.failures.handleScan(thrown);
      return this.#attempt({
        advance() {
          scan.skip?.();
          return true;
        },
      });
    }
  }

  /** Lets timers fire that wait for the wall clock. */
  wallTime(now: Millis): void {
    if (this.#parts.timers.wallDue(now)) this.#scans.push(this.#parts.timers);
  }

  /**
   * Runs a piece of work as a step of its own; 'again' once the scans that are pending now have run. Takes an object, as
   * scans are, so that no row costs a closure.
   */
  #attempt(work: Pick<ResumableScan, 'advance'>): boolean | 'miss' | 'again' {
    const step = this.#step;
    step.begin();
    let more: boolean;
    try {
      more = work.advance();
      if (step.missed) throw MISS;
    } catch (thrown) {
      step.rollback();
      if (!step.missed) throw thrown;
      if (this.#parts.scans.takeFirst()) return 'again';
      this.#missed = undefined;
      return 'miss';
    }
    step.settle();
    return more;
  }

  /**
   * After a miss: runs the rest of the batch as a probe (reads collected, every effect undone), fetches all that
   * was wanted in one read, and leaves the task where it was.
   */
  async fetchMissed(): Promise<void> {
    this.#probe();
    this.#missed = undefined;
    this.#awaitSchemas();
    await this.state.fetchWanted();
  }

  /** The task waits, and not the loop: others go on while a registry is away. */
  #awaitSchemas(): void {
    const { schemas } = this.#parts;
    if (schemas?.wanting !== true) return;
    this.#waiting = true;
    void schemas.fetch().then(() => {
      this.#waiting = false;
      schemas.notify();
    });
  }

  #probe(): void {
    const input = this.#missed;
    if (input === undefined) return;
    const step = this.#step;
    const at = input.index;
    step.probing = true;
    const counts = this.#parts.counts.slice();
    const end = at + Math.min(input.left, PROBE_RECORDS);
    for (let index = at + 1; index < end; index++) {
      input.seek(index);
      step.begin();
      try {
        input.load();
        input.push(input.record);
      } catch {
        // A miss has noted what it wants; any other failure shows when the record runs for real.
      }
      step.rollback();
    }
    this.#parts.scans.forgetFirst();
    step.probing = false;
    this.#parts.counts.set(counts);
    input.seek(at);
  }
}

function isAhead(input: Input): boolean {
  return input.ceiling !== undefined && input.head > input.ceiling();
}

/** Going on with what a crash cut short is a scan of one piece: it may miss. */
function startOf(operator: Operator): ResumableScan {
  return {
    advance() {
      operator.start?.();
      return false;
    },
  };
}

/** How far a probe looks ahead. */
const PROBE_RECORDS = 4096;
