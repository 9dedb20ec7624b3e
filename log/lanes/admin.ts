import { FlowError } from '../../core/errors.ts';
import type { Millis, Position, TopicPartition } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import type {
  CommittedPosition,
  GroupDescription,
  LogAdmin,
  LogReader,
  PartitionBounds,
  TopicDescription,
  TopicSettings,
} from '../log.ts';
import { murmur2 } from '../partitioner.ts';
import { checkTopic, completeSettings } from '../settings.ts';
import { scanSince } from '../since.ts';
import { type Declaration, laneTopic } from './declarations.ts';
import { type Directory, placeOf } from './directory.ts';
import { namePositions, placePositions } from './group-positions.ts';

export interface LaneAdminParts {
  readonly admin: LogAdmin;
  readonly directory: Directory;
  reader(): LogReader;
}

export class LaneAdmin implements LogAdmin {
  readonly #admin: LogAdmin;
  readonly #directory: Directory;
  readonly #reader: () => LogReader;

  constructor({ admin, directory, reader }: LaneAdminParts) {
    this.#admin = admin;
    this.#directory = directory;
    this.#reader = reader;
  }

  async create(topic: string, settings: TopicSettings): Promise<void> {
    const run = this.#directory.runOf(topic);
    if (run === undefined) return this.#admin.create(topic, settings);
    checkTopic(topic, settings);
    await this.#directory.declarations.prepare();
    const [row, below] = await Promise.all([this.#directory.upToDate(topic), this.#admin.describe(topic)]);
    if (row !== null || below !== undefined) throw exists(topic);
    const slot = settings.cleanup?.startsWith('compact') ? -1 : this.#directory.slots.forNew(run, settings.partitions);
    if (slot === undefined) return this.#admin.create(topic, settings);
    await this.#declare(run, topic, completeSettings(settings), slot);
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    const row = await this.#directory.upToDate(topic);
    return row === null ? this.#admin.describe(topic) : { topic, id: row.id, settings: row.settings };
  }

  async list(): Promise<readonly string[]> {
    const { declarations } = this.#directory;
    const [names] = await Promise.all([this.#admin.list(), declarations.refresh()]);
    return [...names, ...declarations.topics];
  }

  async delete(topic: string): Promise<void> {
    await this.#directory.upToDate(topic);
    const rows = this.#directory.declarations.named(topic);
    if (rows.length === 0) return this.#admin.delete(topic);
    await this.#directory.declarations.write([], rows);
  }

  async alter(topic: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): Promise<void> {
    const row = await this.#directory.upToDate(topic);
    if (row === null) return this.#admin.alter(topic, settings);
    const { partitions } = row.settings;
    await this.#directory.declarations.write([{ ...row, settings: { ...row.settings, ...settings, partitions } }]);
  }

  /** Of a logical topic nothing: its lane drops what is old. */
  async deleteRecords(topic: string, partition: number, before: Position): Promise<Position> {
    const row = await this.#directory.find(topic);
    if (row === null) return this.#admin.deleteRecords(topic, partition, before);
    placeOf(row, partition);
    return 0;
  }

  async bounds(topic: string, partition: number): Promise<PartitionBounds> {
    const row = await this.#directory.find(topic);
    if (row === null) return this.#admin.bounds(topic, partition);
    const place = placeOf(row, partition);
    const { stable, end } = await this.#admin.bounds(place.topic, place.partition);
    // the start stays, also where the lane has dropped it: whoever reads from there is told, and does not read less
    return { start: 0, stable: Math.max(0, stable - place.begin), end: Math.max(0, end - place.begin) };
  }

  async positionSince(topic: string, partition: number, timestamp: Millis): Promise<Position> {
    const row = await this.#directory.find(topic);
    if (row === null) return this.#admin.positionSince(topic, partition, timestamp);
    return scanSince(this.#reader, { topic, partition }, await this.bounds(topic, partition), timestamp);
  }

  async groups(names?: readonly string[]): Promise<readonly GroupDescription[]> {
    const { declarations } = this.#directory;
    const [groups] = await Promise.all([this.#admin.groups(names), declarations.refresh()]);
    return groups.map((group) => ({ ...group, positions: namePositions(group.positions, declarations) }));
  }

  deleteGroup(group: string): Promise<void> {
    return this.#admin.deleteGroup(group);
  }

  async setPositions(group: string, positions: readonly (TopicPartition & CommittedPosition)[]): Promise<void> {
    await this.#admin.setPositions(group, await placePositions(positions, this.#directory));
  }

  async #declare(run: string, topic: string, settings: Required<TopicSettings>, slot: number): Promise<void> {
    const { declarations, slots } = this.#directory;
    const { lanePartitions, places } = declarations;
    const name = Buffer.from(run);
    const first = (murmur2(name, 0, name.length) & 0x7fffffff) % places;
    const lane = Math.floor(first / lanePartitions);
    const lanes = Array.from({ length: settings.partitions }, (_, p) => (first + p) % lanePartitions);
    const begins = lanes.map((p) => [p, 0] as const);
    await slots.reserve({ run, slot, begins }, async () => {
      const ends = new Map<number, Position>();
      await Promise.all(
        [...new Set(lanes)].map(async (p) => ends.set(p, (await this.#admin.bounds(laneTopic(lane), p)).end)),
      );
      const declaration: Declaration = {
        ...{ topic, id: uniqueId(), run, settings, lane, slot },
        begins: lanes.map((p) => [p, ends.get(p)!] as const),
      };
      await declarations.write([declaration], declarations.named(topic));
      if (declarations.live(topic)?.id === declaration.id) return;
      // another process was quicker
      await declarations.write([], [declaration]);
      throw exists(topic);
    });
  }
}

function exists(topic: string): FlowError {
  return new FlowError('topic.exists', `topic ${topic} exists already`);
}
