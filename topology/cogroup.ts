import { type AnyWindows, addAggregate } from './add-aggregate.ts';
import type { CogroupOptions, Retention } from './group-handles.ts';
import type { Scheme } from './scheme.ts';
import type { DeclaredWindows } from './window-handles.ts';
import type { Lambda, Place, Wire } from './wire.ts';

export interface Member {
  readonly id: string;
  readonly add: Lambda;
}

/** `Cogrouped`, `WindowedCogroup` and `FinalCogroup` of `group-handles.ts`. */
export class CogroupHandle implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;
  readonly #members: readonly Member[];
  readonly #windowed: AnyWindows | null;

  constructor(wire: Wire, partitions: Scheme, members: readonly Member[], windowed: AnyWindows | null) {
    this.#wire = wire;
    this.id = members[0]!.id;
    this.partitions = partitions;
    this.#members = members;
    this.#windowed = windowed;
    Object.freeze(this);
  }

  cogroup(other: Place, add: Lambda): Place {
    return new CogroupHandle(this.#wire, this.partitions, [...this.#members, { id: other.id, add }], this.#windowed);
  }

  window(windows: DeclaredWindows): Place {
    return new CogroupHandle(this.#wire, this.partitions, this.#members, { windows, emit: 'update' });
  }

  emitOnClose(): Place {
    const windowed = this.#windowed && { ...this.#windowed, emit: 'close' as const };
    return new CogroupHandle(this.#wire, this.partitions, this.#members, windowed);
  }

  aggregate(options: CogroupOptions<unknown> & Retention): Place {
    const members = this.#members;
    const windowed = this.#windowed;
    const id = addAggregate(this.#wire.builder, this.id, 'cogroup', windowed, { ...options, members });
    const at = { id, partitions: this.partitions };
    if (windowed === null) return this.#wire.table(at, options.store);
    const { store } = options;
    return windowed.emit === 'close' ? this.#wire.table(at, store) : this.#wire.windowedTable(at, store);
  }
}
