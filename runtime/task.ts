import type { Millis } from '../core/ids.ts';
import { MISS, type Step } from '../core/step.ts';
import type { CallResults, ResumableScan } from '../operators/operators.ts';
import type { TaskState } from '../state/state.ts';
import type { Input } from './inputs.ts';
import { limitFor, nextInput } from './next-input.ts';
import { probe, uncount, uncountRecord } from './probe.ts';
import { soundTime } from './record-time.ts';
import { startOf } from './scan-requests.ts';
import { TaskEndings } from './task-endings.ts';
import type { RunResult, TaskParts } from './task-parts.ts';

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
  /** What gave up a step since it was full, and keeps the task from going on while it is. */
  #blocked: CallResults | undefined;
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
      runPending: () => this.#runPending(),
      inFlight: () => this.#parts.calls.inFlight,
      worked: () => {
        this.worked = true;
      },
    });
    for (const operator of parts.starts) {
      if (operator.start !== undefined) this.#scans.push(startOf(operator));
    }
    if (parts.clock !== undefined) this.#scans.push(parts.clock);
  }

  /** The largest event time taken; -1 before any. */
  get streamTime(): Millis {
    return this.#parts.streamTime.value;
  }

  /** Something is begun that goes on before the next record, or beside it. */
  get scanning(): boolean {
    const { calls, mailboxes } = this.#parts;
    return this.#scans.length > 0 || calls.inFlight > 0 || mailboxes.waiting;
  }

  /** All inputs have ended, all windows are flushed; only the last commit is owed. */
  get finished(): boolean {
    return this.#endings.finished;
  }

  /** Topics that it writes no more, though it goes on. */
  get endedTopics(): ReadonlySet<string> {
    return this.#endings.topics;
  }

  /** It waits for a call to end, and takes nothing until then. */
  get blocked(): boolean {
    return this.#blocked?.full === true && !this.#blocked.ready;
  }

  /** Takes up to `max` records; lets results of calls leave that have come. */
  run(max: number): RunResult {
    if (this.#waiting) return 'idle';
    const result = this.#run(max);
    this.#parts.calls.begin();
    return result;
  }

  #run(max: number): RunResult {
    const { schemas, mailboxes } = this.#parts;
    let left = max;
    if (mailboxes.waiting) {
      mailboxes.begin();
      this.#askFor(mailboxes);
    }
    for (;;) {
      this.#takeNews();
      const waits = this.#runPending();
      if (waits !== undefined) return waits;
      if (left <= 0) return 'busy';
      const asked = schemas?.asked;
      const input = nextInput(this.inputs);
      // the event time of a record could not be read, so that none can be chosen
      if (schemas?.asked !== asked) return 'miss';
      this.#countPassed();
      if (this.#parts.clock?.news) continue;
      if (input === undefined) return mailboxes.waiting ? 'busy' : this.#endings.advance();
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

  /** Takes note of batches that went by unopened. */
  #countPassed(): void {
    let passed = 0;
    for (const input of this.inputs) passed += input.passed;
    if (passed === this.#passed) return;
    this.records += passed - this.#passed;
    this.#passed = passed;
    this.worked = true;
  }

  /**
   * Runs one input until its batch ends, another input is older, or `left` is used up. Answers what is left of the
   * limit; on a miss the negative of it (minus one where it is 0).
   */
  #runInput(input: Input, left: number): number {
    const step = this.#step;
    const { record, screen } = input;
    const { streamTime, timers, outputs } = this.#parts;
    const limit = limitFor(input, this.inputs);
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
        if (step.missed) uncountRecord(this.#parts, input, push);
        if (step.missed && (this.#parts.scans.takeFirst() || this.#takeBlocked())) return left;
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

  /**
   * Runs what scans are pending, row by row, then lets the results leave that calls have brought. Answers why it cannot
   * go on, if so.
   */
  #runPending(): 'miss' | 'idle' | undefined {
    const scans = this.#scans;
    const { calls, outputs } = this.#parts;
    if (this.blocked) return 'idle';
    for (;;) {
      const results = scans.length > 0 ? undefined : calls.ready;
      if (scans.length === 0 && results === undefined) return undefined;
      this.worked = true;
      const result = results === undefined ? this.#advanceFirst() : this.#release(results);
      if (result === 'miss') return 'miss';
      if (result === 'blocked') {
        const waits = this.#releaseBehind();
        if (waits !== undefined) return waits;
      } else if (results !== undefined) this.#moveClock();
      if (outputs.full) this.#parts.flush();
    }
  }

  /**
   * What is at work was pushed into an operator that is full: lets one of its results leave, or of one behind it. Scans
   * that this asks for come before what is at work, as they all lie behind it.
   */
  #releaseBehind(): 'miss' | 'idle' | undefined {
    for (;;) {
      if (this.blocked) return 'idle';
      const results = this.#blocked;
      this.#blocked = undefined;
      // it is not full any more
      if (results?.ready !== true) return undefined;
      const before = this.#scans.length;
      const result = this.#release(results);
      if (result === 'miss') {
        this.#blocked = results;
        return 'miss';
      }
      if (result === 'blocked') continue;
      if (result === true) {
        this.#scans.unshift(...this.#scans.splice(before));
        this.#moveClock();
      }
      return undefined;
    }
  }

  /** Lets a result leave. Where its call has failed, or what lies behind fails on it, policy decides. */
  #release(results: CallResults): true | 'miss' | 'again' | 'blocked' {
    try {
      const work = {
        advance() {
          results.release();
          return true;
        },
      };
      return this.#attempt(work) || true;
    } catch (thrown) {
      this.#parts.failures.handleCall(thrown, results);
      return true;
    }
  }

  #takeBlocked(): boolean {
    this.#blocked = this.#parts.calls.takeBlocked();
    return this.#blocked !== undefined;
  }

  /**
   * One piece of the scan at work. What that asks for lies behind it and comes first: so each row has gone all its way
   * before the next one comes, as where a record is pushed on. Where time moves it does so for all operators first.
   */
  #advanceFirst(): Attempted {
    const scans = this.#scans;
    const before = scans.length;
    const scan = scans[0]!;
    const result = this.#advance(scan);
    if (typeof result !== 'boolean') return result;
    const behind = scan === this.#parts.clock ? [] : scans.splice(before);
    if (!result) this.#endScan();
    scans.unshift(...behind);
    return result;
  }

  /** What a scan put out, or a result, held the clocks of operators behind it back until now. */
  #endScan(): void {
    const { clock, timers } = this.#parts;
    const ended = this.#scans.shift();
    if (clock === undefined) return;
    if (ended !== clock) this.#moveClock();
    else if (timers.due()) this.#askFor(timers);
  }

  #moveClock(): void {
    const { clock } = this.#parts;
    if (clock?.heldBack) this.#askFor(clock);
  }

  /** One piece of a scan. Where user code behind it fails and policy says to go on, the piece is passed over. */
  #advance(scan: ResumableScan): Attempted {
    try {
      return this.#attempt(scan);
    } catch (thrown) {
      if (scan.skip === undefined) throw thrown;
      if (scan === this.#parts.mailboxes) this.#parts.failures.handleMessage(thrown);
      else this.#parts.failures.handleScan(thrown);
      return this.#attempt({
        advance() {
          scan.skip?.();
          return true;
        },
      });
    }
  }

  /** It is run from now on. */
  open(): void {
    this.#parts.mailboxes.open();
  }

  /** It is run no more: its operators let go of what they hold beside their state. */
  close(): void {
    const { calls, mailboxes, operators } = this.#parts;
    calls.close();
    mailboxes.close();
    for (const operator of operators) operator.close?.();
  }

  /** When a timer fires next that waits for the wall clock. */
  get nextWall(): Millis {
    return this.#parts.timers.nextWall;
  }

  /** Lets timers fire that wait for the wall clock. */
  wallTime(now: Millis): void {
    if (this.#parts.timers.wallDue(now)) this.#askFor(this.#parts.timers);
  }

  /**
   * Runs a piece of work as a step of its own; 'again' once the scans that are pending now have run. Takes an object, as
   * scans are, so that no row costs a closure.
   */
  #attempt(work: Pick<ResumableScan, 'advance'>): Attempted {
    const step = this.#step;
    step.begin();
    let more: boolean;
    try {
      more = work.advance();
      if (step.missed) throw MISS;
    } catch (thrown) {
      step.rollback();
      if (!step.missed) throw thrown;
      uncount(this.#parts, work);
      if (this.#parts.scans.takeFirst()) return 'again';
      if (this.#takeBlocked()) return 'blocked';
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
    if (this.#missed !== undefined) probe(this.#missed, this.#parts);
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
}

/** What came of a step: whether there is more, or why it was undone. */
type Attempted = boolean | 'miss' | 'again' | 'blocked';
