import { type Duration, millis } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';
import { PLAIN } from '../state/state.ts';
import type { NodeOf, WindowOf } from '../topology/plan.ts';
import { takesValueAlone } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import { type Aggregates, createAggregates, type Held } from './held.ts';
import { KeyWindows } from './key-windows.ts';
import type { KeptNumber, OperatorClock, OperatorContext, OperatorFactory, Push } from './operators.ts';
import type { Rec } from './record.ts';
import { WindowOrder } from './window-order.ts';
import { orderedOperator, WindowUpdates } from './window-updates.ts';

type Node = NodeOf<'aggregate'>;
type GapOf = (value: unknown, key?: unknown) => Duration;

/**
 * Aggregates per key and session. A record is a session of its own, which merges with those that lie within the gap.
 * Updates first delete each session that was merged, with the time of its row, then tell the merged one; they have no
 * headers. A record is judged late by the merged session.
 *
 * With one gap, as in Kafka Streams: a session is `[first, last]`, both inclusive, and closed when
 * `last < clock - gap - grace`. Where a record merges into nothing but a session of its own single instant, nothing is
 * deleted. Sessions are not looked for beyond what the store keeps: its retention before the latest end ever written.
 *
 * With a gap told of each record, a session is `[first, latest time + gap]`, both inclusive, and closed when its end is
 * less than the clock minus the grace; then its row goes. What stays as it is, is not deleted.
 */
export const createSessionAggregate: OperatorFactory<'aggregate'> = (node, context, next) =>
  orderedOperator(new SessionAggregate(node, node.window as WindowOf<'session'>, context, next));

class SessionAggregate {
  readonly order: WindowOrder;
  readonly #node: Node;
  readonly #context: OperatorContext;
  /** The one gap, or `undefined`. */
  readonly #gapMs: Millis | undefined;
  readonly #gapOf: GapOf | undefined;
  /** From the end of a session to the time after which it is closed. */
  readonly #openMs: Millis;
  readonly #retentionMs: Millis;
  readonly #clock: OperatorClock;
  /** The latest end ever written. */
  readonly #stored: KeptNumber;
  readonly #windows: KeyWindows;
  readonly #aggregates: Aggregates;
  readonly #updates: WindowUpdates;
  readonly #held: Held;
  readonly #other: Held;

  constructor(node: Node, window: WindowOf<'session'>, context: OperatorContext, next: readonly Push[]) {
    const { gapMs, graceMs } = window;
    this.#node = node;
    this.#context = context;
    this.#gapMs = typeof gapMs === 'string' ? undefined : gapMs;
    this.#gapOf = typeof gapMs === 'string' ? context.fn<GapOf>('gap', gapMs) : undefined;
    this.#openMs = graceMs + (this.#gapMs ?? 0);
    this.#retentionMs = Math.max(this.#openMs, context.storeSerdes(node.store).retentionMs ?? 0);
    this.#clock = context.clock('clock');
    this.#stored = context.number('stored', -1);
    this.#windows = new KeyWindows(node, null, context);
    this.#aggregates = createAggregates(node, context, PLAIN);
    this.#held = this.#aggregates.hold('update');
    this.#other = this.#aggregates.hold('merged');
    this.#updates = new WindowUpdates(context, this.#windows, this.#aggregates, next[0], 'none');
    this.order = new WindowOrder(node, context, {
      clock: this.#clock,
      windows: this.#windows,
      aggregates: this.#aggregates,
      finals: next[1] ?? NOWHERE,
      dropsRows: this.#gapMs === undefined,
      startFirst: node.emit === 'close' || this.#gapMs === undefined,
    });
  }

  take(record: Rec): void {
    this.#clock.see(record.timestamp);
    if (record.keyIsNull) this.#context.drop('null-key', record);
    else {
      record.encodeKey(this.#windows.inner);
      this.#take(record);
    }
    this.order.run();
  }

  #take(record: Rec): void {
    const at = record.timestamp;
    const windows = this.#windows;
    const clock = this.#clock.value;
    const gapMs = this.#gapMs ?? 0;
    const own = at + (this.#gapOf === undefined ? 0 : this.#gapFor(record, this.#gapOf));
    const kept = Math.min(this.#stored.value, clock) - this.#retentionMs + 1;
    const from = this.#gapMs === undefined ? clock - this.#openMs : kept;
    windows.collect(record, Math.max(0, at - gapMs, from), undefined);
    let start = at;
    let end = own;
    let merged = 0;
    for (let i = 0; i < windows.count; i++) {
      if (windows.starts[i]! > own + gapMs) continue;
      windows.keep(i, merged++);
      start = Math.min(start, windows.starts[i]!);
      end = Math.max(end, windows.ends[i]!);
    }
    windows.count = merged;
    if (end < clock - this.#openMs) {
      this.#context.drop('late', record);
      return;
    }
    this.#aggregates.begin(this.#held, at);
    for (let i = 0; i < merged; i++) {
      this.#load(record, i);
      this.#aggregates.merge(this.#held, this.#other, record);
    }
    const { old } = this.#updates;
    if (old !== undefined) old.present = false;
    if (this.#gapMs === undefined || start !== at || end !== at) this.#deleteMerged(record, start, end);
    this.#aggregates.add(this.#held, record);
    this.#put(record, start, end);
  }

  #gapFor(record: Rec, gapOf: GapOf): Millis {
    const gap = takesValueAlone(gapOf) ? gapOf(record.value) : gapOf(record.value, record.key);
    return millis(gap, `the gap of a session of ${this.#node.id}`);
  }

  #load(record: Rec, index: number): void {
    const windows = this.#windows;
    windows.point(record, windows.starts[index]!, windows.ends[index]!);
    this.#aggregates.load(this.#other, windows.key.bytes, 0, windows.key.at);
  }

  #deleteMerged(record: Rec, start: Millis, end: Millis): void {
    const windows = this.#windows;
    const { old } = this.#updates;
    for (let i = 0; i < windows.count; i++) {
      const stays = windows.starts[i] === start && windows.ends[i] === end;
      this.#load(record, i);
      if (stays && this.#gapMs === undefined) {
        if (old !== undefined) this.#aggregates.copy(old, this.#other);
        continue;
      }
      this.order.cancel(this.#closesAt(windows.ends[i]!), this.#expiresAt(windows.ends[i]!));
      this.#updates.remove(record, this.#other, this.#other.timestamp);
    }
  }

  #put(record: Rec, start: Millis, end: Millis): void {
    const windows = this.#windows;
    windows.point(record, start, end);
    const { bytes, at } = windows.key;
    this.#aggregates.store(this.#held, bytes, 0, at);
    if (end > this.#stored.value) this.#stored.set(end);
    this.order.closeAt(this.#closesAt(end), this.#held.timestamp);
    const expiresAt = this.#expiresAt(end);
    if (expiresAt !== undefined) this.order.expireAt(expiresAt);
    this.#updates.tell(record, this.#held);
  }

  /** The clock at which the final result comes. */
  #closesAt(end: Millis): Millis {
    const strict = this.#gapMs === undefined || this.#node.emit === 'close';
    return end + this.#openMs + (strict ? 1 : 0);
  }

  #expiresAt(end: Millis): Millis | undefined {
    return this.#gapMs === undefined ? undefined : Math.max(end + this.#retentionMs, this.#closesAt(end));
  }
}
