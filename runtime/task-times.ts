import type { TimeEntry, TimeNotes } from '../checkpoints/checkpoints.ts';
import type { Millis } from '../core/ids.ts';
import type { Operator } from '../operators/operators.ts';
import type { PlanTopic } from '../topology/plan.ts';
import type { Input } from './inputs.ts';
import { QuietTime } from './quiet-time.ts';
import type { StageClock } from './stage-clock.ts';
import type { Task } from './task.ts';

export interface TaskTimesParts {
  readonly task: Task;
  /** `undefined` where nothing that the task reads tells a time. */
  readonly clock: StageClock | undefined;
  /** All operators go by that clock. */
  readonly clocked: boolean;
  readonly operators: readonly Operator[];
  /** The topics in which it tells its time. */
  readonly topics: readonly PlanTopic[];
  readonly notes: TimeNotes;
  readonly run: number;
  readonly idleMs: Millis;
  readonly lookMs: Millis;
  /** Partitions to which nothing else goes are told no more often than this. */
  readonly tellMs: Millis;
  /** A bounded run: whoever has nothing to do waits for an end, and is not idle. */
  readonly bounded: boolean;
  monotonic(): number;
}

/**
 * What a task tells of its time, and what the wall clock does to that of its inputs.
 *
 * It carries the time of its inputs, but no more than the oldest that an operator of it still holds. It is idle when all
 * that it reads is read to the end, all tasks before it are idle, and this has lasted; then it says so, and again and
 * again while it lasts. While it holds something it is not idle, if its clock is the stage's: what it holds will go out
 * when time goes on elsewhere, and is not to be late then. Where its clock goes by its own records alone it may hold for
 * ever, and does not make others wait. It speaks in its commits, and makes for one where it has something to say.
 */
export class TaskTimes {
  readonly #parts: TaskTimesParts;
  readonly #taken: number[];
  readonly #busy = new Set<string>();
  readonly #quiet: QuietTime;
  #idle = false;
  #told: TimeEntry | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** To be told to all partitions with the next commit. Who was there before may hold what an earlier owner told. */
  #owed = true;
  /** Some partitions were told more than others. */
  #uneven = false;

  constructor(parts: TaskTimesParts) {
    this.#parts = parts;
    this.#quiet = new QuietTime(parts.lookMs);
    this.#taken = parts.task.inputs.map((input) => input.taken + input.passed);
  }

  /** Looked at between two runs of the task, behind the last; answers whether that gives it something to do. */
  turn(): boolean {
    this.#turn();
    return this.#parts.clock?.news ?? false;
  }

  #turn(): void {
    const { task, clock, topics, bounded, idleMs, tellMs } = this.#parts;
    const now = this.#parts.monotonic();
    if (task.finished || bounded) clock?.turn(now, notQuiet);
    else {
      const quiet = this.#look();
      clock?.turn(now, (topic) => !this.#busy.has(topic));
      if (topics.length === 0) return;
      const holds = this.#parts.clocked && this.#held() !== Number.POSITIVE_INFINITY;
      this.#quiet.turn(now, quiet && !holds && (clock?.upstreamIdle ?? true));
      const idle = this.#quiet.lasted(idleMs);
      if (idle !== this.#idle) this.#owed = true;
      this.#idle = idle;
    }
    if (topics.length === 0 || task.finished) return;
    const since = now - this.#toldAt;
    if (this.#idle && idleMs > 0 && since >= idleMs) this.#owed = true;
    if (this.#owed || (this.#uneven && since >= tellMs)) task.worked = true;
  }

  /** Says what it has to say, at the end of an epoch. */
  note(): void {
    const { task, topics, notes, run, tellMs } = this.#parts;
    if (topics.length === 0) return;
    const now = this.#parts.monotonic();
    const status = task.finished ? 'ended' : this.#idle ? 'idle' : 'active';
    const entry: TimeEntry = { task: task.id, at: this.#carried(), status };
    const changed = this.#told?.at !== entry.at || this.#told.status !== status;
    const all = this.#owed || task.finished || (changed && now - this.#toldAt >= tellMs);
    this.#uneven = changed && !all;
    if (all) {
      this.#told = entry;
      this.#toldAt = now;
      this.#owed = false;
    }
    for (const topic of topics) notes.add(topic, run, entry, all);
  }

  #carried(): Millis {
    const { task, clock, clocked } = this.#parts;
    const time = clocked ? clock!.value.value : task.streamTime;
    return Math.max(-1, Math.min(time, this.#held()));
  }

  #held(): Millis {
    let oldest = Number.POSITIVE_INFINITY;
    for (const operator of this.#parts.operators) {
      const held = operator.held?.();
      if (held !== undefined && held < oldest) oldest = held;
    }
    return oldest;
  }

  /** Notes which inputs had or have something to do; answers whether none. */
  #look(): boolean {
    const { inputs } = this.#parts.task;
    this.#busy.clear();
    for (const [i, input] of inputs.entries()) {
      const taken = input.taken + input.passed;
      if (taken !== this.#taken[i] || hasMore(input)) this.#busy.add(input.topic);
      this.#taken[i] = taken;
    }
    return this.#busy.size === 0 && !this.#parts.task.scanning;
  }
}

function hasMore(input: Input): boolean {
  return input.fill() || input.awaited;
}

function notQuiet(): boolean {
  return false;
}
