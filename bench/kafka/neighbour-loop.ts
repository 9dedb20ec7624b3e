import type { EngineJob } from './engine-main.ts';

/** What loops over the clients have in common. */
export type NeighbourName = '@platformatic/kafka' | 'kafkajs' | '@confluentinc/kafka-javascript';

export interface NeighbourJob extends EngineJob {
  readonly client: NeighbourName;
  /** Where it is installed. */
  readonly folder: string;
}

/** Messages of a lot, where the client leaves it to us. */
export const LOT = 5000;

/** Told by a loop what it has done; answers what it is to do. */
export class LoopProgress {
  readonly job: NeighbourJob;
  #taken = 0;
  #marked = false;
  #lastCommit = performance.now();

  constructor(job: NeighbourJob) {
    this.job = job;
  }

  /** Takes so many records; true when they are the last. */
  took(records: number): boolean {
    this.#taken += records;
    if (!this.#marked && this.#taken >= this.job.warm) {
      this.#marked = true;
      this.say('mark');
    }
    return this.#taken >= this.job.records;
  }

  /** Whether positions are to be committed now. */
  get commitDue(): boolean {
    if (this.#taken < this.job.records && performance.now() - this.#lastCommit < this.job.commitIntervalMs)
      return false;
    this.#lastCommit = performance.now();
    return true;
  }

  say(at: 'mark' | 'end'): void {
    console.log(JSON.stringify({ at, records: this.#taken }));
  }
}

/** A loop runs until all records are taken and their positions committed; then answers how it is closed. */
export type Loop = (progress: LoopProgress) => Promise<() => Promise<void>>;
