import type { Position } from '../core/ids.ts';
import type { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { eachRecord } from './each-record.ts';

/** Positions that are read at a time: few at first, then as many as their bytes allow. */
const FIRST_STRETCH = 20;
const LONGEST_STRETCH = 500;
const MOST_BYTES = 4 * 1024 * 1024;

/** Of the records of a partition the newest first; what the visitor answers `undefined` for is left out. */
export class Backwards<Row> {
  readonly topic: string;
  readonly partition: number;
  /** Everything at this position and behind it was taken, or is not asked for. */
  below: Position;
  /** Positions that were looked at. */
  looked = 0;
  readonly #log: Log;
  readonly #read: (view: BatchView, i: number) => Row | undefined;
  readonly #start: Position;
  readonly #rows: { readonly position: Position; readonly row: Row }[] = [];
  /** What was read stands here and behind. */
  #readFrom: Position;
  #stretch = FIRST_STRETCH;
  #bytes = 0;

  private constructor(
    log: Log,
    place: { readonly topic: string; readonly partition: number; readonly start: Position; readonly below: Position },
    read: (view: BatchView, i: number) => Row | undefined,
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.below = place.below;
    this.#readFrom = place.below;
    this.#start = place.start;
    this.#log = log;
    this.#read = read;
  }

  /** From what is committed now; with `below` from before that position. */
  static async open<Row>(
    log: Log,
    at: { readonly topic: string; readonly partition: number; readonly below: Position | undefined },
    read: (view: BatchView, i: number) => Row | undefined,
  ): Promise<Backwards<Row>> {
    const { start, stable } = await log.admin.bounds(at.topic, at.partition);
    const below = Math.max(start, Math.min(stable, at.below ?? stable));
    return new Backwards(log, { topic: at.topic, partition: at.partition, start, below }, read);
  }

  /** The newest that was not taken; undefined where there is none. */
  async peek(): Promise<Row | undefined> {
    while (this.#rows.length === 0) {
      if (this.#readFrom <= this.#start) {
        this.below = this.#start;
        return undefined;
      }
      const until = this.#readFrom;
      this.#readFrom = Math.max(this.#start, until - this.#stretch);
      this.looked += until - this.#readFrom;
      this.#bytes = 0;
      await eachRecord(this.#log, this.topic, this.partition, (view, i) => this.#keep(view, i), this.#readFrom, until);
      const isMuch = this.#bytes > MOST_BYTES;
      this.#stretch = isMuch ? Math.ceil(this.#stretch / 4) : Math.min(LONGEST_STRETCH, 2 * this.#stretch);
      if (this.#rows.length === 0) this.below = this.#readFrom;
    }
    return this.#rows.at(-1)!.row;
  }

  take(): void {
    this.below = this.#rows.pop()!.position;
  }

  /** There is nothing left. */
  get isOver(): boolean {
    return this.#rows.length === 0 && this.#readFrom <= this.#start;
  }

  #keep(view: BatchView, i: number): void {
    this.#bytes += view.bodyEnds[i]! - view.bodyStarts[i]!;
    const row = this.#read(view, i);
    if (row !== undefined) this.#rows.push({ position: view.positions[i]!, row });
  }
}
