import type { Millis } from '../core/ids.ts';
import { PLAIN } from '../state/state.ts';
import type { NodeOf, WindowOf } from '../topology/plan.ts';
import { NOWHERE } from './fuse.ts';
import { type Aggregates, createAggregates, type Held } from './held.ts';
import { KeyWindows } from './key-windows.ts';
import type { KeptNumber, OperatorClock, OperatorContext, OperatorFactory, Push } from './operators.ts';
import type { Rec } from './record.ts';
import { WindowOrder } from './window-order.ts';
import { orderedOperator, WindowUpdates } from './window-updates.ts';

type Node = NodeOf<'aggregate'>;

/**
 * Aggregates per key and window `[start, start + difference]`, both ends inclusive, for each set of records that some
 * such window holds. A window is made when a record comes that makes a new set: the one that ends with the record, the
 * one that begins behind it, the one that begins behind the record before it. Where it holds what another holds, it
 * begins as a copy of that. Records before the first difference share the window from 0 on.
 *
 * As in Kafka Streams: windows are looked for from twice the difference before the record on, and not before what the
 * store keeps (its retention before the latest start ever written); one record may write a window twice, first as the
 * one behind its predecessor, then as its own. Windows that hold a record are updated from the latest to the earliest;
 * of those before the first difference, from the earliest on. Null values are dropped.
 *
 * A window is closed when `end < clock - grace`. A record is dropped as late once for each of its windows that has
 * closed, or once where they all have.
 */
export const createSlidingAggregate: OperatorFactory<'aggregate'> = (node, context, next) =>
  orderedOperator(new SlidingAggregate(node, node.window as WindowOf<'sliding'>, context, next));

class SlidingAggregate {
  readonly order: WindowOrder;
  /** Final results come when a window has closed, not in its last moment. */
  readonly #closes: boolean;
  readonly #context: OperatorContext;
  readonly #differenceMs: Millis;
  readonly #graceMs: Millis;
  readonly #retentionMs: Millis;
  readonly #clock: OperatorClock;
  /** The latest start ever written. */
  readonly #stored: KeptNumber;
  /** The same, for whoever looks rows up. */
  readonly #storeClock: OperatorClock;
  readonly #windows: KeyWindows;
  readonly #aggregates: Aggregates;
  readonly #updates: WindowUpdates;
  readonly #held: Held;
  /** What the latest window holds that holds the record too, before it came. */
  readonly #right: Held;
  /** How many windows the record at hand has written, and how many of its windows had closed. */
  #written = 0;
  #late = 0;

  constructor(node: Node, window: WindowOf<'sliding'>, context: OperatorContext, next: readonly Push[]) {
    this.#closes = node.emit === 'close';
    this.#context = context;
    this.#differenceMs = window.differenceMs;
    this.#graceMs = window.graceMs;
    const { retentionMs } = context.storeSerdes(node.store);
    this.#retentionMs = Math.max(2 * window.differenceMs + window.graceMs, retentionMs ?? 0);
    this.#clock = context.clock('clock');
    this.#stored = context.number('stored', -1);
    this.#storeClock = context.storeClock(node.store);
    this.#windows = new KeyWindows(node, window.differenceMs, context);
    this.#aggregates = createAggregates(node, context, PLAIN);
    this.#held = this.#aggregates.hold('update');
    this.#right = this.#aggregates.hold('right');
    this.#updates = new WindowUpdates(context, this.#windows, this.#aggregates, next[0]);
    this.order = new WindowOrder(node, context, {
      clock: this.#clock,
      windows: this.#windows,
      aggregates: this.#aggregates,
      finals: next[1] ?? NOWHERE,
      dropsRows: false,
      startFirst: this.#closes,
    });
  }

  take(record: Rec): void {
    const clock = this.#clock;
    this.#written = 0;
    this.#late = 0;
    clock.see(record.timestamp);
    if (record.keyIsNull) this.#context.drop('null-key', record);
    else if (record.valueIsNull) this.#context.drop('null-value', record);
    else if (record.timestamp + this.#differenceMs < clock.value - this.#graceMs) this.#context.drop('late', record);
    else {
      record.encodeKey(this.#windows.inner);
      if (record.timestamp < this.#differenceMs) this.#takeEarly(record);
      else this.#take(record);
      if (this.#late > 0) this.#context.drop('late', record, this.#late);
    }
    this.order.run();
  }

  #take(record: Rec): void {
    const at = record.timestamp;
    const windows = this.#windows;
    this.#collect(record, at - 2 * this.#differenceMs);
    let hasLeft = false;
    let hasRight = false;
    let rightKnown = false;
    let previous = -1;
    let i = windows.count - 1;
    for (; i >= 0; i--) {
      const start = windows.starts[i]!;
      const end = windows.ends[i]!;
      const latest = windows.times[i]!;
      if (start > at) hasRight = true;
      else if (end >= at) {
        this.#load(record, start);
        if (end > at && !rightKnown) {
          rightKnown = true;
          this.#aggregates.copy(this.#right, this.#held);
        }
        this.#update(record, start, false);
        if (end > at) continue;
        hasLeft = true;
        if (latest >= at) return;
        previous = latest;
      } else {
        previous = latest;
        break;
      }
    }
    const before = i;
    const behindPrevious = previous + 1;
    if (previous >= 0 && behindPrevious + this.#differenceMs >= at && !this.#has(behindPrevious, Math.max(0, before))) {
      this.#aggregates.begin(this.#held, at);
      this.#update(record, behindPrevious, true);
    }
    if (!hasLeft) {
      if (previous >= at - this.#differenceMs && before >= 0) {
        this.#load(record, windows.starts[before]!);
        this.#held.timestamp = at;
      } else this.#aggregates.begin(this.#held, at);
      this.#update(record, at - this.#differenceMs, true);
    }
    if (!hasRight && rightKnown && this.#right.timestamp > at) this.#makeRight(record);
  }

  #takeEarly(record: Rec): void {
    const at = record.timestamp;
    const windows = this.#windows;
    this.#collect(record, 0);
    const { count } = windows;
    const hasFirst = count > 0 && windows.starts[0] === 0;
    let hasRight = false;
    let rightKnown = false;
    for (let i = hasFirst ? 1 : 0; i < count; i++) {
      const start = windows.starts[i]!;
      if (start > at) {
        hasRight = true;
        break;
      }
      this.#load(record, start);
      this.#aggregates.copy(this.#right, this.#held);
      rightKnown = true;
      this.#update(record, start, false);
    }
    if (!rightKnown && hasFirst && windows.times[0]! > at) {
      rightKnown = true;
      this.#load(record, 0);
      this.#aggregates.copy(this.#right, this.#held);
    }
    if (!hasRight && rightKnown && this.#right.timestamp > at) this.#makeRight(record);
    const previous = hasFirst && windows.times[0]! < at ? windows.times[0]! : -1;
    if (previous >= 0 && !this.#has(previous + 1, 0)) {
      this.#aggregates.begin(this.#held, at);
      this.#update(record, previous + 1, true);
    }
    if (hasFirst) this.#load(record, 0);
    else this.#aggregates.begin(this.#held, at);
    this.#update(record, 0, !hasFirst);
  }

  #collect(record: Rec, from: Millis): void {
    // Kafka Streams keeps windows in another store where it emits on close, which reads back by one moment more.
    const kept = Math.min(this.#stored.value, this.#clock.value) - this.#retentionMs + (this.#closes ? 0 : 1);
    this.#windows.collect(record, Math.max(0, from, kept), record.timestamp + 1);
  }

  /** Whether a window that starts there was found, from the `first` on. */
  #has(start: Millis, first: number): boolean {
    const { starts, count } = this.#windows;
    for (let i = first; i < count; i++) if (starts[i] === start) return true;
    return false;
  }

  #load(record: Rec, start: Millis): void {
    this.#windows.point(record, start, start + this.#differenceMs);
    const { bytes, at } = this.#windows.key;
    this.#aggregates.load(this.#held, bytes, 0, at);
  }

  /** Adds the record to what is held, as the window that starts there, where that is open. */
  #update(record: Rec, start: Millis, isNew: boolean): void {
    if (start + this.#differenceMs < this.#clock.value - this.#graceMs) {
      this.#late++;
      return;
    }
    const { old } = this.#updates;
    if (old !== undefined) this.#aggregates.copy(old, this.#held);
    this.#aggregates.add(this.#held, record);
    this.#put(record, start, isNew);
  }

  /** The window right behind the record: what was behind it already. */
  #makeRight(record: Rec): void {
    this.#aggregates.copy(this.#held, this.#right);
    const { old } = this.#updates;
    if (old !== undefined) old.present = false;
    this.#put(record, record.timestamp + 1, true);
  }

  #put(record: Rec, start: Millis, isNew: boolean): void {
    const windows = this.#windows;
    const end = start + this.#differenceMs;
    windows.point(record, start, end);
    const { bytes, at } = windows.key;
    const clock = this.#clock.value;
    const closesAt = end + this.#graceMs + (this.#closes ? 1 : 0);
    // In its last moment a window is given out with each update; and what is due comes before a second one.
    if (closesAt <= clock && this.#written > 0) this.order.freeze(closesAt);
    this.#aggregates.store(this.#held, bytes, 0, at);
    if (start > this.#stored.value) {
      this.#stored.set(start);
      this.#storeClock.see(start);
    }
    if (closesAt > clock) {
      if (isNew) this.order.closeAt(closesAt, this.#held.timestamp);
    } else if (this.#written === 0) this.order.closeAt(closesAt, this.#held.timestamp);
    else this.order.again(this.#held, this.#written);
    if (isNew) this.order.expireAt(end + this.#retentionMs + 1);
    this.#written++;
    this.#updates.tell(record, this.#held);
  }
}
