import type { Ledger } from '../checkpoints/checkpoints.ts';
import { failpoint } from '../core/failpoints.ts';
import { partitionName } from '../core/ids.ts';
import { type Fetched, FOLLOW_WAIT_MS, type LogReader } from '../log/log.ts';
import type { RunningTask, SplitFeed } from './running-task.ts';
import type { TopicInput } from './topic-input.ts';
import type { Wake } from './wake.ts';

/** Records asked of a connector at a time. */
const SPLIT_RECORDS = 4096;

export interface FeedParts {
  readonly reader: LogReader;
  readonly ledger: Ledger;
  readonly wake: Wake;
  /** An input holds at most about this much before its partition is paused. */
  readonly intakeBytes: number;
  readonly intakeRecords: number;
  /** A stage of the plan writes the topic, so that two stages meet there. */
  isBetween(topic: string): boolean;
  /** The ends of a topic's partitions, where they are known by now. */
  endsOf(topic: string): readonly number[] | undefined;
}

/**
 * Brings records to the inputs of a worker's tasks: one fetch is always on its way for those with room, one read
 * for each connector split that wants more, and one poll of the ledger for ends. `pump` hands over what has come;
 * it never waits.
 */
export class Feed {
  readonly #parts: FeedParts;
  readonly #inputs = new Map<string, TopicInput>();
  readonly #paused = new Set<string>();
  readonly #tasks = new Set<RunningTask>();
  /** Those of them that read from a connector. */
  readonly #splits = new Set<SplitFeed>();
  readonly #stop = new AbortController();
  #arrived: Fetched[] = [];
  #fetching: Promise<void> | undefined;
  #polling: Promise<void> | undefined;
  #failure: unknown;
  #newEnds = true;
  /** An input may hold more than when it was last looked. */
  #grown = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  add(running: RunningTask): void {
    this.#tasks.add(running);
    if (running.split !== undefined) this.#splits.add(running.split);
    for (const input of running.topics) {
      this.#inputs.set(partitionName(input.topic, input.partition), input);
      this.#parts.reader.assign([{ topic: input.topic, partition: input.partition, position: input.position }]);
    }
    this.#newEnds = true;
  }

  remove(running: RunningTask): void {
    this.#tasks.delete(running);
    if (running.split !== undefined) this.#splits.delete(running.split);
    for (const input of running.topics) {
      const name = partitionName(input.topic, input.partition);
      if (this.#inputs.get(name) !== input) continue;
      this.#inputs.delete(name);
      this.#paused.delete(name);
      this.#parts.reader.unassign([{ topic: input.topic, partition: input.partition }]);
      input.close();
    }
  }

  /** It holds enough; nothing more is fetched for it. */
  isPaused(input: TopicInput): boolean {
    return this.#paused.has(partitionName(input.topic, input.partition));
  }

  pump(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const fetched of arrived) {
      if (this.#parts.isBetween(fetched.topic)) failpoint('feed.between');
      const input = this.#inputs.get(partitionName(fetched.topic, fetched.partition));
      if (input === undefined) fetched.release();
      else input.offer(fetched);
      this.#grown = true;
    }
    this.balance();
    if (this.#newEnds) this.#setEnds();
    if (this.#fetching === undefined && this.#inputs.size > 0) this.#fetching = this.#fetch();
    this.#polling ??= this.#poll();
    for (const split of this.#splits) this.#readSplit(split);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const running of [...this.#tasks]) this.remove(running);
    await Promise.allSettled([this.#fetching, this.#polling]);
    for (const fetched of this.#arrived) fetched.release();
    this.#arrived = [];
    await this.#parts.reader.close();
  }

  /** Pauses inputs that hold enough, resumes those that have drained. Asked before a wait too, which it may cut short. */
  balance(): void {
    if (!this.#grown && this.#paused.size === 0) return;
    this.#grown = false;
    const { reader, intakeBytes, intakeRecords } = this.#parts;
    for (const input of this.#inputs.values()) {
      const { queuedBytes, queuedRecords } = input;
      if (queuedRecords === 0 && this.#paused.size === 0) continue;
      const name = partitionName(input.topic, input.partition);
      const paused = this.#paused.has(name);
      if (!paused && (queuedBytes >= intakeBytes || queuedRecords >= intakeRecords)) {
        this.#paused.add(name);
        reader.pause(input);
      } else if (paused && queuedBytes <= intakeBytes / 2 && queuedRecords <= intakeRecords / 2) {
        this.#paused.delete(name);
        reader.resume(input);
      }
    }
  }

  #setEnds(): void {
    this.#newEnds = false;
    for (const input of this.#inputs.values()) {
      const end = this.#parts.endsOf(input.topic)?.[input.partition];
      if (end === undefined) continue;
      if (this.#parts.ledger.run?.endless) input.setWritten(end);
      else input.setEnd(end);
    }
  }

  async #fetch(): Promise<void> {
    try {
      const list = await this.#parts.reader.fetch(FOLLOW_WAIT_MS, this.#stop.signal);
      failpoint('feed.fetched');
      this.#arrived.push(...list);
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#failure ??= thrown;
    }
    this.#fetching = undefined;
    this.#parts.wake.notify();
  }

  async #poll(): Promise<void> {
    try {
      if (await this.#parts.ledger.poll(FOLLOW_WAIT_MS, this.#stop.signal)) {
        this.#newEnds = true;
        this.#parts.wake.notify();
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#failure ??= thrown;
      this.#parts.wake.notify();
    }
    this.#polling = undefined;
  }

  #readSplit(split: SplitFeed): void {
    if (split.reading || !split.input.wants) return;
    split.reading = true;
    split.reader.next(SPLIT_RECORDS).then(
      (batch) => {
        split.reading = false;
        split.input.offer(batch);
        this.#parts.wake.notify();
      },
      (thrown: unknown) => {
        this.#failure ??= thrown;
        this.#parts.wake.notify();
      },
    );
  }
}
