import { addJoinForeign } from './add-join-foreign.ts';
import { addLate } from './add-late.ts';
import { type AnySuppress, addSuppress } from './add-suppress.ts';
import { addFilterTable, addGroupTable, addJoinTables, addMapTable } from './add-table.ts';
import type { JoinForeignOptions } from './foreign-handles.ts';
import type { NodeOf } from './plan.ts';
import type { Scheme } from './scheme.ts';
import type { FilterTableOptions, GroupTableOptions, JoinTablesOptions, KeptRows } from './table-handles.ts';
import type { Lambda, Place, Stored, Wire } from './wire.ts';

type Join = JoinTablesOptions<Lambda, unknown>;
type Foreign = JoinForeignOptions<Lambda, Lambda, unknown>;

/** `Table`, `WindowedTable` and `SuppressedTable` of `table-handles.ts`: which calls there are is a matter of types. */
export class TableHandle implements Stored {
  readonly id: string;
  readonly partitions: Scheme;
  readonly store: string | null;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place, store: string | null) {
    this.#wire = wire;
    this.id = at.id;
    this.partitions = at.partitions;
    this.store = store;
    Object.freeze(this);
  }

  toStream(): Place {
    return addToStream(this.#wire, this);
  }

  late(): Place {
    const id = addLate(this.#wire.builder, this.id);
    return this.#wire.stream({ id, partitions: this.partitions });
  }

  suppress(options?: AnySuppress): Place {
    const id = addSuppress(this.#wire.builder, this.id, options);
    return this.#wire.finalTable({ id, partitions: this.partitions });
  }

  filter(keep: Lambda, options?: FilterTableOptions<unknown>): Stored {
    return this.#table(addFilterTable(this.#wire.builder, this, keep, false, options));
  }

  filterNot(drop: Lambda, options?: FilterTableOptions<unknown>): Stored {
    return this.#table(addFilterTable(this.#wire.builder, this, drop, true, options));
  }

  mapValues(fn: Lambda, options?: KeptRows<unknown>): Stored {
    return this.#table(addMapTable(this.#wire.builder, this, fn, options));
  }

  groupBy(fn: Lambda, options: GroupTableOptions<unknown, unknown, number>): Place {
    return this.#wire.groupedTable(addGroupTable(this.#wire.builder, this, fn, options));
  }

  joinTable(other: Place, options: Join): Stored {
    return this.#join('inner', other, options);
  }

  leftJoinTable(other: Place, options: Join): Stored {
    return this.#join('left', other, options);
  }

  outerJoinTable(other: Place, options: Join): Stored {
    return this.#join('outer', other, options);
  }

  joinForeign(other: Place, options: Foreign): Stored {
    return this.#table(addJoinForeign(this.#wire.builder, 'inner', this, other, options));
  }

  leftJoinForeign(other: Place, options: Foreign): Stored {
    return this.#table(addJoinForeign(this.#wire.builder, 'left', this, other, options));
  }

  #join(how: NodeOf<'joinTables'>['how'], other: Place, options: Join): Stored {
    return this.#table(addJoinTables(this.#wire.builder, this, other, how, options));
  }

  #table(made: Stored): Stored {
    return this.#wire.table(made, made.store);
  }
}

function addToStream(wire: Wire, table: Place): Place {
  const { builder } = wire;
  const id = builder.ids.unnamed('toStream', table.id);
  const { key, value } = builder.node(table.id);
  builder.add({ kind: 'toStream', id, inputs: [table.id], key, value });
  return wire.stream({ id, partitions: table.partitions });
}
