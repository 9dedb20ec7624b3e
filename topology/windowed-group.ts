import { addAggregate } from './add-aggregate.ts';
import type { AggregateOptions, CountOptions, ReduceOptions } from './group-handles.ts';
import type { WindowSpec } from './plan.ts';
import type { Scheme } from './scheme.ts';
import type { Place, Wire } from './wire.ts';

/** `WindowedGroup` of `handles.ts`. */
export class WindowedGroupHandle implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;
  readonly #window: WindowSpec;

  constructor(wire: Wire, at: Place, window: WindowSpec) {
    this.#wire = wire;
    this.#window = window;
    this.id = at.id;
    this.partitions = at.partitions;
    Object.freeze(this);
  }

  count(options: CountOptions): Place {
    return this.#table('count', options);
  }

  reduce(options: ReduceOptions<unknown, unknown>): Place {
    return this.#table('reduce', options);
  }

  aggregate(options: AggregateOptions<unknown, unknown, unknown>): Place {
    return this.#table('aggregate', options);
  }

  #table(how: 'count' | 'reduce' | 'aggregate', options: CountOptions): Place {
    const id = addAggregate(this.#wire.builder, this.id, how, this.#window, options);
    return this.#wire.windowedTable({ id, partitions: this.partitions }, options.store);
  }
}
