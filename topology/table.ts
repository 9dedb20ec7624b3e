import type { Scheme } from './scheme.ts';
import type { Place, Stored, Wire } from './wire.ts';

/** `Table` of `handles.ts`. */
export class TableHandle implements Stored {
  readonly id: string;
  readonly partitions: Scheme;
  readonly store: string;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place, store: string) {
    this.#wire = wire;
    this.id = at.id;
    this.partitions = at.partitions;
    this.store = store;
    if (new.target === TableHandle) Object.freeze(this);
  }

  toStream(): Place {
    return addToStream(this.#wire, this);
  }
}

/** `WindowedTable` of `handles.ts`. */
export class WindowedTableHandle extends TableHandle {
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place, store: string) {
    super(wire, at, store);
    this.#wire = wire;
    Object.freeze(this);
  }

  suppress(): Place {
    const { builder } = this.#wire;
    const id = builder.ids.unnamed('suppress', this.id);
    const { key, value } = builder.node(this.id);
    builder.add({ kind: 'suppress', id, inputs: [this.id], key, value });
    return this.#wire.finalTable({ id, partitions: this.partitions });
  }
}

/** `FinalTable` of `handles.ts`. */
export class FinalTableHandle implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place) {
    this.#wire = wire;
    this.id = at.id;
    this.partitions = at.partitions;
    Object.freeze(this);
  }

  toStream(): Place {
    return addToStream(this.#wire, this);
  }
}

function addToStream(wire: Wire, table: Place): Place {
  const { builder } = wire;
  const id = builder.ids.unnamed('toStream', table.id);
  const { key, value } = builder.node(table.id);
  builder.add({ kind: 'toStream', id, inputs: [table.id], key, value });
  return wire.stream({ id, partitions: table.partitions });
}
