import { int64, type Serde } from '../schemas/schemas.ts';
import type { NodeOf } from './plan.ts';
import type { Scheme } from './scheme.ts';
import type { AggregateTableOptions, CountTableOptions, ReduceTableOptions } from './table-handles.ts';
import type { Lambda, Place, Stored, Wire } from './wire.ts';

interface AnyAggregate {
  readonly store: string;
  readonly value?: Serde<unknown>;
  readonly initial?: Lambda;
  readonly add?: Lambda;
  readonly subtract?: Lambda;
}

/** `GroupedTable` of `table-handles.ts`. */
export class GroupedTableHandle implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place) {
    this.#wire = wire;
    this.id = at.id;
    this.partitions = at.partitions;
    Object.freeze(this);
  }

  count(options: CountTableOptions): Stored {
    return this.#table('count', { store: options.store });
  }

  reduce(options: ReduceTableOptions<unknown, unknown>): Stored {
    return this.#table('reduce', options);
  }

  aggregate(options: AggregateTableOptions<unknown, unknown, unknown>): Stored {
    return this.#table('aggregate', options);
  }

  #table(how: NodeOf<'aggregateTable'>['how'], options: AnyAggregate): Stored {
    const { builder } = this.#wire;
    const { store } = options;
    const id = builder.ids.named('aggregateTable', store);
    const { key } = builder.node(this.id);
    const value = builder.serde(options.value ?? (int64() as Serde<unknown>));
    builder.store({ name: store, kind: 'key-value', key: key ?? '', value, retentionMs: null }, id);
    const code = (role: 'add' | 'subtract' | 'initial') => {
      const lambda = options[role];
      return lambda === undefined ? null : builder.fn(id, role, lambda);
    };
    const lambdas = { add: code('add'), subtract: code('subtract'), initial: code('initial') };
    builder.add({ kind: 'aggregateTable', id, inputs: [this.id], key, value, how, store, ...lambdas });
    return this.#wire.table({ id, partitions: this.partitions }, store);
  }
}
