import type { Millis } from '../core/ids.ts';
import { PLAIN } from '../state/state.ts';
import type { NodeOf, WindowOf } from '../topology/plan.ts';
import { takesKey } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import { type Aggregates, createAggregates, type Held } from './held.ts';
import { KeyWindows } from './key-windows.ts';
import type { OperatorClock, OperatorContext, OperatorFactory, Push } from './operators.ts';
import type { Rec } from './record.ts';
import { WindowOrder } from './window-order.ts';
import { orderedOperator, WindowUpdates } from './window-updates.ts';

interface Span {
  readonly start: Millis;
  readonly end: Millis;
}
type Assign = (time: Millis, value: unknown, key?: unknown) => Span | readonly Span[];
type MergeWindows = (a: Span, b: Span) => Span | undefined;
type CloseAt = (window: Span) => Millis;

/**
 * Aggregates per key and window `[start, end)` of the user's making: `assign` answers the windows of a record, `close`
 * the clock at which one is closed (default: its end plus the grace). Where there is a `merge`, each window of a record
 * is tried with the open ones of its key, those that end first first, and again after each that it became one with;
 * updates delete what was merged away, as those of sessions do. A record is dropped as late once for each of its windows, as
 * merged, that has closed. Rows go when their window closes.
 */
export const createCustomAggregate: OperatorFactory<'aggregate'> = (node, context, next) =>
  orderedOperator(new CustomAggregate(node, node.window as WindowOf<'custom'>, context, next));

class CustomAggregate {
  readonly order: WindowOrder;
  readonly #window: WindowOf<'custom'>;
  readonly #context: OperatorContext;
  readonly #assign: Assign;
  readonly #assignsByTime: boolean;
  readonly #assignsWithKey: boolean;
  readonly #merge: MergeWindows | undefined;
  readonly #close: CloseAt | undefined;
  readonly #clock: OperatorClock;
  readonly #windows: KeyWindows;
  readonly #aggregates: Aggregates;
  readonly #updates: WindowUpdates;
  readonly #held: Held;
  readonly #other: Held;
  /** Windows of the record at hand that had closed. */
  #late = 0;

  constructor(node: NodeOf<'aggregate'>, window: WindowOf<'custom'>, context: OperatorContext, next: readonly Push[]) {
    this.#window = window;
    this.#context = context;
    this.#assign = context.fn<Assign>('assign', window.assign);
    this.#assignsByTime = this.#assign.length === 1;
    this.#assignsWithKey = takesKey(this.#assign);
    this.#merge = window.merge === null ? undefined : context.fn<MergeWindows>('mergeWindows', window.merge);
    this.#close = window.close === null ? undefined : context.fn<CloseAt>('close', window.close);
    this.#clock = context.clock('clock');
    this.#windows = new KeyWindows(node, null, context);
    this.#aggregates = createAggregates(node, context, PLAIN);
    this.#held = this.#aggregates.hold('update');
    this.#other = this.#aggregates.hold('merged');
    this.#updates = new WindowUpdates(context, this.#windows, this.#aggregates, next[0]);
    this.order = new WindowOrder(node, context, {
      clock: this.#clock,
      windows: this.#windows,
      aggregates: this.#aggregates,
      finals: next[1] ?? NOWHERE,
      dropsRows: true,
      startFirst: true,
    });
  }

  take(record: Rec): void {
    this.#clock.see(record.timestamp);
    if (record.keyIsNull) this.#context.drop('null-key', record);
    else {
      record.encodeKey(this.#windows.inner);
      this.#late = 0;
      const assigned = this.#assigned(record);
      if ('start' in assigned) this.#take(record, assigned);
      else for (const span of assigned) this.#take(record, span);
      if (this.#late > 0) this.#context.drop('late', record, this.#late);
    }
    this.order.run();
  }

  #assigned(record: Rec): Span | readonly Span[] {
    const { timestamp } = record;
    if (this.#assignsWithKey) return this.#assign(timestamp, record.value, record.key);
    return this.#assignsByTime ? this.#assign(timestamp, undefined) : this.#assign(timestamp, record.value);
  }

  #take(record: Rec, own: Span): void {
    const { start, end } = this.#checked(own);
    const open = { start, end };
    const merged = this.#merge === undefined ? open : this.#mergeWith(record, open, this.#merge);
    if (this.#closesAt(merged) <= this.#clock.value) {
      this.#late++;
      return;
    }
    this.#aggregates.begin(this.#held, record.timestamp);
    const { old } = this.#updates;
    if (this.#merge === undefined) {
      this.#windows.point(record, start, end);
      const { bytes, at } = this.#windows.key;
      this.#aggregates.load(this.#held, bytes, 0, at);
      if (old !== undefined) this.#aggregates.copy(old, this.#held);
    } else {
      if (old !== undefined) old.present = false;
      this.#takeMerged(record, merged);
    }
    this.#aggregates.add(this.#held, record);
    this.#put(record, merged);
  }

  /** What a window becomes; those that it merges with are then the ones collected. */
  #mergeWith(record: Rec, own: Span, merge: MergeWindows): Span {
    const windows = this.#windows;
    const clock = this.#clock.value;
    windows.collect(record, 0, undefined);
    let merged = own;
    let taken = 0;
    for (let i = 0; i < windows.count; i++) {
      const other = { start: windows.starts[i]!, end: windows.ends[i]! };
      const both = this.#closesAt(other) <= clock ? undefined : merge(merged, other);
      if (both === undefined) continue;
      merged = this.#checked(both);
      windows.swap(i, taken++);
      // It is larger now: those that stayed apart are tried again.
      i = taken - 1;
    }
    windows.count = taken;
    return merged;
  }

  /** Merges the aggregates of the windows collected, and deletes those that became another window. */
  #takeMerged(record: Rec, merged: Span): void {
    const windows = this.#windows;
    const { old } = this.#updates;
    for (let i = 0; i < windows.count; i++) {
      windows.point(record, windows.starts[i]!, windows.ends[i]!);
      this.#aggregates.load(this.#other, windows.key.bytes, 0, windows.key.at);
      this.#aggregates.merge(this.#held, this.#other, record);
    }
    for (let i = 0; i < windows.count; i++) {
      const start = windows.starts[i]!;
      const end = windows.ends[i]!;
      windows.point(record, start, end);
      const { bytes, at } = windows.key;
      const stays = start === merged.start && end === merged.end;
      if (old !== undefined) this.#aggregates.load(stays ? old : this.#other, bytes, 0, at);
      if (stays) continue;
      this.order.cancel(this.#closesAt({ start, end }), undefined);
      this.#updates.remove(record, this.#other, windows.times[i]!);
    }
  }

  #put(record: Rec, window: Span): void {
    const windows = this.#windows;
    windows.point(record, window.start, window.end);
    const { bytes, at } = windows.key;
    this.#aggregates.store(this.#held, bytes, 0, at);
    this.order.closeAt(this.#closesAt(window), this.#held.timestamp);
    this.#updates.tell(record, this.#held);
  }

  #closesAt(window: Span): Millis {
    return this.#close === undefined ? window.end + this.#window.graceMs : this.#close(window);
  }

  #checked(span: Span): Span {
    const { start, end } = span;
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end) return span;
    throw new RangeError(
      `windows ${this.#window.name} has a window from ${start} to ${end}; start it at 0 or later and end it behind, in whole milliseconds`,
    );
  }
}
