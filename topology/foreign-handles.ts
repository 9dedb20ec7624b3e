import type { Keyed, Rows, TypeError_ } from './scheme.ts';
import type { KeptRows } from './table-handles.ts';

/** A table whose rows are found by a foreign key of type F. */
export interface ForeignTable<F, W> extends Rows<W>, Keyed<F> {
  readonly id: string;
  readonly partitions: number | TypeError_<'the key changed: call repartition(...) before the table is made'>;
}

export interface JoinForeignOptions<ForeignKey, Merge, R> extends KeptRows<NonNullable<R>> {
  /** Names the join, its two internal topics and its stores: of subscriptions and, of an inner join, of leavings. */
  readonly name: string;
  /** The key of the other table's row that belongs to a row; null where there is none. */
  readonly foreignKey: ForeignKey;
  /** Null deletes the row. */
  readonly merge: Merge;
}
