import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition } from '../log.ts';
import type { Transaction } from './transaction.ts';

export type PositionRow = TopicPartition & CommittedPosition;

/** The committed positions of one group, and which of them an undecided transaction holds. */
export class GroupPositions {
  readonly #rows = new Map<string, PositionRow>();
  readonly #held = new Map<Transaction, Set<string>>();

  rows(): readonly PositionRow[] {
    return [...this.#rows.values()];
  }

  get({ topic, partition }: TopicPartition): CommittedPosition | undefined {
    const row = this.#rows.get(partitionName(topic, partition));
    return row && { position: row.position, metadata: row.metadata };
  }

  hold(transaction: Transaction, rows: readonly TopicPartition[]): void {
    const names = this.#held.get(transaction) ?? new Set();
    this.#held.set(transaction, names);
    for (const { topic, partition } of rows) names.add(partitionName(topic, partition));
  }

  settle(transaction: Transaction, rows: readonly PositionRow[]): void {
    this.#held.delete(transaction);
    for (const row of rows) this.put(row);
  }

  put({ topic, partition, position, metadata }: PositionRow): void {
    this.#rows.set(partitionName(topic, partition), { topic, partition, position, metadata });
  }

  /** Whether a transaction not settled yet holds a position of one of these. */
  unstable(partitions: readonly TopicPartition[]): boolean {
    const names = partitions.map(({ topic, partition }) => partitionName(topic, partition));
    for (const held of this.#held.values()) if (names.some((name) => held.has(name))) return true;
    return false;
  }

  forgetTopic(topic: string): void {
    for (const [name, row] of this.#rows) if (row.topic === topic) this.#rows.delete(name);
  }
}
