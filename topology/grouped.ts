import { addAggregate } from './add-aggregate.ts';
import { CogroupHandle } from './cogroup.ts';
import type { AggregateOptions, CountOptions, ReduceOptions } from './group-handles.ts';
import { ReadyAggregates } from './ready/ready-aggregates.ts';
import type { Scheme } from './scheme.ts';
import type { DeclaredWindows } from './window-handles.ts';
import type { Lambda, Place, Wire } from './wire.ts';

/** `Grouped` of `handles.ts`. */
export class GroupedHandle extends ReadyAggregates implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place) {
    super();
    this.#wire = wire;
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

  cogroup(add: Lambda): Place {
    return new CogroupHandle(this.#wire, this.partitions, [{ id: this.id, add }], null);
  }

  window(windows: DeclaredWindows): Place {
    return this.#wire.windowedGroup(this, windows, 'update');
  }

  #table(how: 'count' | 'reduce' | 'aggregate', options: CountOptions): Place {
    const id = addAggregate(this.#wire.builder, this.id, how, null, options);
    return this.#wire.table({ id, partitions: this.partitions }, options.store);
  }
}
