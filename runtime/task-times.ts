import type { TimeEntry, TimeNotes } from '../checkpoints/checkpoints.ts';
import type { Millis } from '../core/ids.ts';
import type { Operator } from '../operators/operators.ts';
import type { PlanNode, PlanTopic } from '../topology/plan.ts';
import { QuietTime } from './quiet-time.ts';
import type { StageClock, TimedNode } from './stage-clock.ts';
import type { Task } from './task.ts';

/** A topic in which a task tells its time, and the operators whose records go there. */
export interface ToldTopic {
  readonly topic: PlanTopic;
  readonly operators: readonly Operator[];
}

export interface TaskTimesParts {
  readonly task: Task;
  /** `undefined` where nothing that the task reads tells a time. */
  readonly clock: StageClock | undefined;
  /** All operators go by that clock. */
  readonly clocked: boolean;
  readonly topics: readonly ToldTopic[];
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
 * It carries the time of its inputs, but no more than the oldest that is still held by an operator on the way to where it
 * tells it. It is idle when all that it reads is read to the end, all tasks before it are idle, and this has lasted; then
 * it says so, and again and again while it lasts. While it holds something it is not idle, if its clock is the stage's:
 * what it holds will go out when time goes on elsewhere, and is not to be late then. Where its clock goes by its own
 * records alone it may hold for ever, and does not make others wait. It speaks in its commits, and makes for one where it
 * has something to say.
 */
export class TaskTimes {
  readonly #parts: TaskTimesParts;
  readonly #taken: number[];
  readonly #busy = new Set<string>();
  readonly #quiet: QuietTime;
  readonly #told: (TimeEntry | undefined)[];
  #toldAt = Number.NEGATIVE_INFINITY;
  /** To be told to all partitions with the next commit. Who was there before may hold what an earlier owner told. */
  #owed = true;
  /** Some partitions were told more than others. */
  #uneven = false;

  constructor(parts: TaskTimesParts) {
    this.#parts = parts;
    this.#quiet = new QuietTime(parts.lookMs);
    this.#told = parts.topics.map(() => undefined);
    this.#taken = parts.task.inputs.map((input) => input.taken + input.passed);
  }

  /** Looked at between two runs of the task, behind the last; answers whether that gives it something to do. */
  turn(): boolean {
    const { task, clock, topics, bounded, idleMs, tellMs } = this.#parts;
    const now = this.#parts.monotonic();
    const quiet = this.#look() && !task.finished && !bounded;
    clock?.turn(now, (topic) => !bounded && !this.#busy.has(topic));
    this.#quiet.turn(now, quiet && (clock?.upstreamIdle ?? true));
    if (topics.length > 0 && !task.finished) {
      const status = topics.map((told) => this.#statusOf(told));
      if (status.some((each, i) => each !== this.#told[i]?.status)) this.#owed = true;
      const since = now - this.#toldAt;
      if (status.includes('idle') && idleMs > 0 && since >= idleMs) this.#owed = true;
      if (this.#owed || (this.#uneven && since >= tellMs)) task.worked = true;
    }
    return clock?.news ?? false;
  }

  /** Says what it has to say, at the end of an epoch. */
  note(): void {
    const { task, topics, notes, run, tellMs } = this.#parts;
    if (topics.length === 0) return;
    const now = this.#parts.monotonic();
    const entries = topics.map((told): TimeEntry => {
      return { task: task.id, at: this.#carried(told), status: this.#statusOf(told) };
    });
    const changed = entries.some(({ at, status }, i) => this.#told[i]?.at !== at || this.#told[i]?.status !== status);
    const all = this.#owed || task.finished || (changed && now - this.#toldAt >= tellMs);
    this.#uneven = changed && !all;
    for (const [i, entry] of entries.entries()) {
      if (all) this.#told[i] = entry;
      notes.add(topics[i]!.topic, run, entry, all);
    }
    if (!all) return;
    this.#toldAt = now;
    this.#owed = false;
  }

  #statusOf(told: ToldTopic): TimeEntry['status'] {
    if (this.#parts.task.finished) return 'ended';
    if (!this.#quiet.lasted(this.#parts.idleMs)) return 'active';
    return this.#parts.clocked && heldBy(told) !== Number.POSITIVE_INFINITY ? 'active' : 'idle';
  }

  #carried(told: ToldTopic): Millis {
    const { task, clock, clocked } = this.#parts;
    const time = clocked ? clock!.value.value : task.streamTime;
    return Math.max(-1, Math.min(time, heldBy(told)));
  }

  /** Notes which inputs had or have something to do; answers whether none. */
  #look(): boolean {
    const { task } = this.#parts;
    this.#busy.clear();
    for (const [i, input] of task.inputs.entries()) {
      const taken = input.taken + input.passed;
      if (taken !== this.#taken[i] || input.fill() || input.awaited) this.#busy.add(input.topic);
      this.#taken[i] = taken;
    }
    return this.#busy.size === 0 && !task.scanning;
  }
}

function heldBy({ operators }: ToldTopic): Millis {
  let oldest = Number.POSITIVE_INFINITY;
  for (const operator of operators) {
    const held = operator.held?.();
    if (held !== undefined && held < oldest) oldest = held;
  }
  return oldest;
}

/** The operators through which records come to where a stage writes these topics. */
export function toldTopics(
  topics: readonly PlanTopic[],
  nodes: readonly TimedNode[],
  planNode: (id: string) => PlanNode,
): readonly ToldTopic[] {
  return topics.map((topic) => {
    const before = new Set<number>();
    const visit = (place: number): void => {
      if (before.has(place)) return;
      before.add(place);
      for (const input of nodes[place]!.inputs) visit(input);
    };
    for (const [place, { id }] of nodes.entries()) if (writes(planNode(id), topic.name)) visit(place);
    return { topic, operators: [...before].map((place) => nodes[place]!.operator) };
  });
}

function writes(node: PlanNode, topic: string): boolean {
  if (node.kind === 'source' || node.kind === 'table') return false;
  return Object.values(node).includes(topic);
}
