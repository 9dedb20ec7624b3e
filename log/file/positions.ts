import type { Position, TopicPartition } from '../../core/ids.ts';
import { PartitionMap } from '../../core/partition-map.ts';
import type { CommittedPosition } from '../log.ts';
import type { GroupPosition } from './journal-frame.ts';
import type { Transaction } from './transaction.ts';

interface Row extends TopicPartition, CommittedPosition {
  readonly position: Position;
}

/** Input positions of groups: the committed ones, and who holds some that are undecided. */
export class Positions {
  readonly #groups = new Map<string, PartitionMap<Row>>();
  readonly #holding = new Set<Transaction>();
  #waiters: (() => void)[] = [];

  hold(owner: Transaction, rows: readonly GroupPosition[]): void {
    owner.positions.push(...rows);
    this.#holding.add(owner);
  }

  /** The owner is decided: its positions count, or are forgotten. */
  decide(owner: Transaction, committed: boolean): void {
    if (!this.#holding.delete(owner)) return;
    if (committed) for (const row of owner.positions) this.put(row);
    // it lives on as long as its batches are in no segment
    owner.positions = [];
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  put([group, topic, partition, position, metadata]: GroupPosition): void {
    let rows = this.#groups.get(group);
    if (rows === undefined) {
      rows = new PartitionMap();
      this.#groups.set(group, rows);
    }
    rows.set(topic, partition, { topic, partition, position, metadata });
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    while (this.#undecided(group, partitions)) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    const rows = this.#groups.get(group);
    return partitions.map(({ topic, partition }) => {
      const row = rows?.get(topic, partition);
      return row === undefined ? undefined : { position: row.position, metadata: row.metadata };
    });
  }

  #undecided(group: string, partitions: readonly TopicPartition[]): boolean {
    if (this.#holding.size === 0) return false;
    const asked = new PartitionMap<true>();
    for (const { topic, partition } of partitions) asked.set(topic, partition, true);
    for (const owner of this.#holding) {
      for (const [other, topic, partition] of owner.positions) {
        if (other === group && asked.get(topic, partition)) return true;
      }
    }
    return false;
  }

  groups(): readonly string[] {
    return [...this.#groups.keys()];
  }

  of(group: string): readonly Row[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  deleteGroup(group: string): void {
    this.#groups.delete(group);
  }

  deleteTopic(topic: string): void {
    for (const rows of this.#groups.values()) rows.deleteTopic(topic);
  }

  rows(): GroupPosition[] {
    const all: GroupPosition[] = [];
    for (const [group, rows] of this.#groups) {
      for (const { topic, partition, position, metadata } of rows.values()) {
        all.push([group, topic, partition, position, metadata]);
      }
    }
    return all;
  }
}
