import { type KeptNumbers, readTimeRecord } from '../checkpoints/checkpoints.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { KeptNumber, Operator, OperatorClock, Push, ResumableScan } from '../operators/operators.ts';
import { QuietTime } from './quiet-time.ts';
import type { ScanRequests } from './scan-requests.ts';
import { Valve } from './valve.ts';

/** How many leases of an idle task have to run out unrenewed before it holds time again. */
const LEASES = 3;

export interface StageClockParts {
  readonly step: Step;
  readonly numbers: KeptNumbers;
  readonly scans: ScanRequests;
  /** The number of the bounded run: who ended in an earlier one has yet to speak. */
  readonly run: number;
  /** How long something has to be idle before it does not count. */
  readonly idleMs: Millis;
  /** Who does not look for longer is blocked, which is not idle. */
  readonly lookMs: Millis;
  /** By topic: the tasks that tell their time in it. */
  readonly upstream: ReadonlyMap<string, readonly string[]>;
  /** Topics whose own records move the clock: sources of a stage that goes by one clock. */
  readonly sources: readonly ClockSource[];
  monotonic(): number;
}

export interface ClockSource {
  readonly topic: string;
  readonly maxOutOfOrdernessMs: Millis;
  readonly idleMs: Millis | undefined;
}

/** A node of the stage that has an operator, and the nodes before it by their places. */
export interface TimedNode {
  readonly id: string;
  readonly operator: Operator;
  readonly inputs: readonly number[];
}

/**
 * The clock of one task of a stage: the least time of all that it reads, whether tasks before it told it or records of a
 * source show it.
 *
 * Each operator's clock follows it, behind what the operators before it in the stage still hold: else the results of
 * windows that close now would be late where they go next. It moves in steps of its own, by this scan: first the clock,
 * then operator by operator in the order of the plan, each told by `time`. What those start (windows that close) runs
 * before the next record, and where an operator had been held back, the scan comes again behind it.
 *
 * Times are kept numbers, so they are committed with the positions. Who is idle is not: after a restart an idle task
 * holds time until it speaks.
 */
export class StageClock implements ResumableScan {
  readonly value: KeptNumber;
  /** An operator's clock waits for what an operator before it holds. */
  heldBack = false;
  /** A time record was taken, or an input fell idle, since it was last looked at. */
  news = false;

  readonly #parts: StageClockParts;
  readonly #valve: Valve;
  readonly #upstream = new Map<string, number>();
  readonly #told: KeptNumber[] = [];
  readonly #ended: KeptNumber[] = [];
  readonly #leases: number[] = [];
  readonly #sources: Source[] = [];
  readonly #clocks = new Map<string, Set<KeptNumber>>();
  #nodes: readonly TimedNode[] = [];
  #nodeTimes = new Float64Array(0);
  /** The node to be told next; -1: the clock itself is to move. */
  #at = -1;

  constructor(parts: StageClockParts) {
    this.#parts = parts;
    const { numbers, upstream, sources, run } = parts;
    this.value = numbers.number('clock', -1);
    const times: KeptNumber[] = [];
    for (const [topic, tasks] of upstream) {
      for (const task of tasks) {
        this.#upstream.set(`${topic} ${task}`, times.length);
        times.push(numbers.number(`told/${topic}/${task}`, -1));
        this.#ended.push(numbers.number(`ended/${topic}/${task}`, -1));
        this.#leases.push(Number.POSITIVE_INFINITY);
      }
    }
    for (const source of sources) {
      const latest = numbers.number(`partition-time/${source.topic}`, -1);
      const told = new Told(Math.max(-1, latest.value - source.maxOutOfOrdernessMs));
      this.#sources.push({
        ...source,
        channel: times.length,
        latest,
        quiet: new QuietTime(parts.lookMs),
        woken: false,
      });
      times.push(told);
    }
    this.#told.push(...times);
    this.#valve = new Valve(times, this.value);
    for (const [i, ended] of this.#ended.entries()) if (ended.value === run) this.#valve.idle(i);
  }

  /** Every task before this one is idle or has ended. */
  get upstreamIdle(): boolean {
    for (const channel of this.#upstream.values()) if (!this.#valve.isIdle(channel)) return false;
    return true;
  }

  /** The clock of one operator, or of a store of it. It is kept as a clock of its own is, and goes on from there. */
  clock(node: string, name: string): OperatorClock {
    const number = this.#parts.numbers.number(name, -1);
    const clocks = this.#clocks.get(node) ?? new Set();
    clocks.add(number);
    this.#clocks.set(node, clocks);
    return new HeldClock(number);
  }

  /** The operators of the stage, in the order of the plan. */
  bind(nodes: readonly TimedNode[]): void {
    this.#nodes = nodes;
    this.#nodeTimes = new Float64Array(nodes.length);
  }

  /** The push of a topic: where the topic is a source of the clock, its records move it once they have gone by. */
  follow(topic: string, push: Push): Push {
    const source = this.#sources.find((each) => each.topic === topic);
    if (source === undefined) return push;
    const { scans } = this.#parts;
    const { latest, channel } = source;
    return (record) => {
      if (record.timestamp > latest.value) {
        latest.set(record.timestamp);
        if (this.#told[channel]!.value <= this.value.value) scans.add(this);
      }
      if (this.#valve.isIdle(channel) && !source.woken) {
        source.woken = true;
        scans.add(this);
      }
      push(record);
    };
  }

  isSource(topic: string): boolean {
    return this.#sources.some((source) => source.topic === topic);
  }

  /** Tasks tell their time in this topic. */
  isTold(topic: string): boolean {
    return this.#parts.upstream.has(topic);
  }

  /** Takes a time record, between two steps. */
  take(topic: string, bytes: Bytes, start: number, end: number): void {
    const { step, run, idleMs } = this.#parts;
    const record = readTimeRecord(bytes, start, end);
    step.begin();
    for (const { task, at, status } of record.entries) {
      const channel = this.#upstream.get(`${topic} ${task}`);
      if (channel === undefined) continue;
      this.#valve.active(channel);
      this.#valve.time(channel, at);
      if (status === 'active') continue;
      if (status === 'ended') {
        if (record.run !== run) continue;
        this.#ended[channel]!.set(run);
      }
      this.#valve.idle(channel);
      const leased = status === 'idle' && idleMs > 0;
      this.#leases[channel] = leased ? this.#parts.monotonic() + idleMs * LEASES : Number.POSITIVE_INFINITY;
    }
    step.settle();
    this.news = true;
  }

  /** Looks at what the wall clock changes: leases that have run out, sources that fell idle. */
  turn(now: number, isQuiet: (topic: string) => boolean): void {
    for (let channel = 0; channel < this.#leases.length; channel++) {
      if (now <= this.#leases[channel]!) continue;
      this.#leases[channel] = Number.POSITIVE_INFINITY;
      this.#valve.hold(channel);
    }
    for (const source of this.#sources) {
      const { quiet, channel, topic, idleMs = this.#parts.idleMs } = source;
      quiet.turn(now, isQuiet(topic));
      if (this.#valve.isIdle(channel) || !quiet.lasted(idleMs)) continue;
      this.#valve.idle(channel);
      source.woken = false;
      this.news = true;
    }
  }

  advance(): boolean {
    if (this.#at < 0) {
      this.#flow();
      return true;
    }
    const { step } = this.#parts;
    while (this.#at < this.#nodes.length) {
      const place = this.#at;
      const node = this.#nodes[place]!;
      const moved = this.#move(node, place);
      if (moved) node.operator.time?.();
      if (step.missed) return true;
      const held = node.operator.held?.() ?? Number.POSITIVE_INFINITY;
      if (step.missed) return true;
      if (held < this.#nodeTimes[place]!) this.#nodeTimes[place] = held;
      this.#at++;
      if (moved) return true;
    }
    this.#at = -1;
    return false;
  }

  /** Lets time through from the inputs. */
  #flow(): void {
    for (const source of this.#sources) {
      const { channel, latest, maxOutOfOrdernessMs } = source;
      if (source.woken) this.#valve.active(channel);
      source.woken = false;
      this.#valve.time(channel, Math.max(-1, latest.value - maxOutOfOrdernessMs));
    }
    this.#valve.flow();
    this.heldBack = false;
    this.#at = 0;
  }

  /** Moves the clocks of an operator to where it may go; answers whether one moved. */
  #move({ id, inputs }: TimedNode, place: number): boolean {
    let time = this.value.value;
    for (const input of inputs) time = Math.min(time, this.#nodeTimes[input]!);
    this.#nodeTimes[place] = time;
    const clocks = this.#clocks.get(id);
    if (clocks === undefined) return false;
    if (time < this.value.value) this.heldBack = true;
    let moved = false;
    for (const clock of clocks) {
      if (time <= clock.value) continue;
      clock.set(time);
      moved = true;
    }
    return moved;
  }
}

interface Source extends ClockSource {
  readonly channel: number;
  /** The largest time of its partition. */
  readonly latest: KeptNumber;
  readonly quiet: QuietTime;
  /** A record came while it was idle. */
  woken: boolean;
}

/** A time that follows from another number. */
class Told implements KeptNumber {
  value: Millis;

  constructor(value: Millis) {
    this.value = value;
  }

  set(value: Millis): void {
    this.value = value;
  }
}

/** An operator's clock as the operator sees it: its records do not move it. */
class HeldClock implements OperatorClock {
  readonly #number: KeptNumber;

  constructor(number: KeptNumber) {
    this.#number = number;
  }

  get value(): Millis {
    return this.#number.value;
  }

  see(): void {}

  finish(at: Millis): void {
    if (at > this.#number.value) this.#number.set(at);
  }
}
