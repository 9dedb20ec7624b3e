import { addAggregate } from './add-aggregate.ts';
import type { AggregateOptions, CountOptions, ReduceOptions } from './group-handles.ts';
import type { NodeOf } from './plan.ts';
import { ReadyAggregates } from './ready/ready-aggregates.ts';
import type { Scheme } from './scheme.ts';
import type { DeclaredWindows } from './window-handles.ts';
import type { Place, Wire } from './wire.ts';

/** `WindowedGroup` and `FinalGroup` of `group-handles.ts`. */
export class WindowedGroupHandle extends ReadyAggregates implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;
  readonly #windows: DeclaredWindows;
  readonly #emit: NodeOf<'aggregate'>['emit'];

  constructor(wire: Wire, at: Place, windows: DeclaredWindows, emit: NodeOf<'aggregate'>['emit']) {
    super();
    this.#wire = wire;
    this.#windows = windows;
    this.#emit = emit;
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

  emitOnClose(): Place {
    return this.#wire.windowedGroup(this, this.#windows, 'close');
  }

  #table(how: 'count' | 'reduce' | 'aggregate', options: CountOptions): Place {
    const windowed = { windows: this.#windows, emit: this.#emit };
    const at = { id: addAggregate(this.#wire.builder, this.id, how, windowed, options), partitions: this.partitions };
    return this.#emit === 'close' ? this.#wire.table(at, options.store) : this.#wire.windowedTable(at, options.store);
  }
}
