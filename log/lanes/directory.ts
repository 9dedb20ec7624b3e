import { FlowError } from '../../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import { type Declaration, type Declarations, laneTopic, type Row } from './declarations.ts';
import { Slots } from './slots.ts';

export interface DirectoryParts {
  readonly declarations: Declarations;
  runOf(topic: string): string | undefined;
  /** Fails once the log is closed. */
  check(): void;
}

/** Where a partition of a logical topic lies. */
export interface LanePlace extends TopicPartition {
  /** The lane's position at which its own begin. */
  readonly begin: Position;
}

/** Says of each topic whether it is a logical one, and where it lies. */
export class Directory {
  readonly slots: Slots;
  readonly #parts: DirectoryParts;
  /** Topics of runs that are none of the lanes, as far as was seen. */
  readonly #through = new Set<string>();

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
    this.slots = new Slots(parts.declarations);
  }

  get declarations(): Declarations {
    return this.#parts.declarations;
  }

  runOf(topic: string): string | undefined {
    return this.#parts.runOf(topic);
  }

  /** `null` where it goes through, `undefined` where that has to be looked up. */
  known(topic: string): Row | null | undefined {
    if (this.runOf(topic) === undefined) return null;
    return this.declarations.live(topic) ?? (this.#through.has(topic) ? null : undefined);
  }

  async find(topic: string): Promise<Row | null> {
    this.#parts.check();
    const known = this.known(topic);
    if (known !== undefined) return known;
    const row = await this.upToDate(topic);
    if (row === null) this.#through.add(topic);
    return row;
  }

  /** The same, with what other processes have declared up to now. */
  async upToDate(topic: string): Promise<Row | null> {
    this.#parts.check();
    if (this.runOf(topic) === undefined) return null;
    await this.declarations.refresh();
    return this.declarations.live(topic) ?? null;
  }

  /** The log below has said that it has no such topic; it may be declared one day. */
  isMissing(topic: string): void {
    this.#through.delete(topic);
  }

  /** Names of topics below where these lie. */
  async physical(topics: readonly string[]): Promise<readonly string[]> {
    const rows = await Promise.all(topics.map((topic) => this.find(topic)));
    return [...new Set(rows.map((row, i) => (row === null ? topics[i]! : laneTopic(row.lane))))];
  }

  async close(): Promise<void> {
    await this.declarations.close();
  }
}

/** Fails with `topic.missing` where it has no such partition. */
export function placeOf({ topic, lane, begins }: Declaration, partition: number): LanePlace {
  const begin = begins[partition];
  if (begin === undefined) {
    throw new FlowError(
      'topic.missing',
      `${partitionName(topic, partition)} does not exist: ${topic} has ${begins.length}`,
    );
  }
  return { topic: laneTopic(lane), partition: begin[0], begin: begin[1] };
}
