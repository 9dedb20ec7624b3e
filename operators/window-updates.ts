import type { Millis } from '../core/ids.ts';
import { NOWHERE } from './fuse.ts';
import type { Aggregates, Held } from './held.ts';
import type { KeyWindows } from './key-windows.ts';
import type { Operator, OperatorContext, Push } from './operators.ts';
import { Rec } from './record.ts';
import type { WindowOrder } from './window-order.ts';

/** An aggregate over windows that lie by key, as it is made of its parts. */
interface KeyWindowAggregate {
  readonly order: WindowOrder;
  take(record: Rec): void;
}

/** The operator of such an aggregate: all that time does is in its order. */
export function orderedOperator(aggregate: KeyWindowAggregate): Operator {
  const { order } = aggregate;
  return {
    inputs: [(record) => aggregate.take(record)],
    start: () => order.run(),
    time: () => order.run(),
    held: () => order.held(),
    end: () => order.end(),
  };
}

/** Tells what becomes of the window whose key was written last, by the record that has changed it. */
export class WindowUpdates {
  /** What a window held before, where somebody asks for it; present where the window was there. */
  readonly old: Held | undefined;
  readonly #windows: KeyWindows;
  readonly #aggregates: Aggregates;
  readonly #updates: Push;
  readonly #headers: 'kept' | 'none';
  readonly #out = new Rec();

  /** `headers` of the record that has changed the window. */
  constructor(
    context: OperatorContext,
    windows: KeyWindows,
    aggregates: Aggregates,
    updates: Push | undefined,
    headers: 'kept' | 'none' = 'kept',
  ) {
    this.#windows = windows;
    this.#aggregates = aggregates;
    this.#updates = updates ?? NOWHERE;
    this.#headers = headers;
    this.old = context.wantsOld ? aggregates.hold('old') : undefined;
  }

  /** It holds this now. */
  tell(record: Rec, held: Held): void {
    if (this.#updates === NOWHERE) return;
    const out = this.#begin(record, this.old);
    this.#aggregates.show(held, out);
    this.#updates(out);
  }

  /** Its row goes, which held this and has this time. */
  remove(record: Rec, held: Held, timestamp: Millis): void {
    if (this.#updates === NOWHERE) {
      this.#deleteRow(held);
      return;
    }
    const out = this.#begin(record, this.old === undefined ? undefined : held);
    out.timestamp = timestamp;
    out.setValue(null);
    this.#deleteRow(held);
    this.#updates(out);
  }

  #begin(record: Rec, old: Held | undefined): Rec {
    const out = this.#out;
    const { bytes, at } = this.#windows.key;
    out.takeOrigin(record);
    if (this.#headers === 'none') out.clearHeaders();
    out.latest = true;
    out.old = old === undefined ? null : this.#aggregates.value(old);
    this.#windows.name(out, bytes, 0, at, 'updates');
    return out;
  }

  #deleteRow(held: Held): void {
    const { bytes, at } = this.#windows.key;
    held.present = false;
    this.#aggregates.store(held, bytes, 0, at);
  }
}
