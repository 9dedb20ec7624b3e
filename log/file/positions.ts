import { type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition } from '../log.ts';
import type { GroupPosition } from './journal-frame.ts';
import type { Transaction } from './transaction.ts';

interface Row extends TopicPartition, CommittedPosition {
  readonly position: Position;
}

/** Input positions of groups: the committed ones, and who holds some that are undecided. */
export class Positions {
  readonly #groups = new Map<string, Map<string, Row>>();
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
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  put([group, topic, partition, position, metadata]: GroupPosition): void {
    let rows = this.#groups.get(group);
    if (rows === undefined) {
      rows = new Map();
      this.#groups.set(group, rows);
    }
    rows.set(partitionName(topic, partition), { topic, partition, position, metadata });
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    const names = partitions.map(({ topic, partition }) => partitionName(topic, partition));
    while (this.#undecided(group, new Set(names))) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    const rows = this.#groups.get(group);
    return names.map((name) => {
      const row = rows?.get(name);
      return row === undefined ? undefined : { position: row.position, metadata: row.metadata };
    });
  }

  #undecided(group: string, names: ReadonlySet<string>): boolean {
    for (const owner of this.#holding) {
      for (const [other, topic, partition] of owner.positions) {
        if (other === group && names.has(partitionName(topic, partition))) return true;
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
    for (const rows of this.#groups.values()) {
      for (const [name, row] of rows) if (row.topic === topic) rows.delete(name);
    }
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
