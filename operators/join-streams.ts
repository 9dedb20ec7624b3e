import type { Millis } from '../core/ids.ts';
import type { Serde, View } from '../schemas/schemas.ts';
import type { BytesTable } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { takesKey } from './functions.ts';
import { JoinSide, paneSize } from './join-side.ts';
import type { OperatorClock, OperatorContext, OperatorFactory, Push } from './operators.ts';
import { PendingFlush } from './pending-flush.ts';
import { LEFT, type PendingCursor, PendingRows, RIGHT, type Side } from './pending-rows.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/** One side of the join. */
interface Half {
  readonly side: Side;
  readonly buffer: JoinSide;
  /** When a record is kept: a stream's own buffer has it between its two turns, so that it meets itself once. */
  readonly keeps: 'first' | 'last' | 'never';
  readonly value: Serde<unknown>;
  /** Shows a value of this side that was kept. */
  readonly view: View<unknown>;
  /** How much earlier and later than a record of this side its partners may be. */
  readonly beforeMs: Millis;
  readonly afterMs: Millis;
  /** Its records come alone where they find no partner. */
  readonly alone: boolean;
}

/**
 * Each record is kept in the buffer of its side and meets those of the other side that lie within its window, in order
 * of their time, then of arrival; the results have the larger time of both, and headers and position of the record that
 * came. See `join-side.ts` for how long records are kept, by the clock of their side; one that is too old to be kept is
 * counted as late, though it may still meet others.
 *
 * A record that meets none waits where its side is kept (left and outer joins), and comes alone when its window and the
 * grace have passed: see `pending-flush.ts`. Where its window had passed when it came, it comes alone at once, and may
 * meet others within the grace all the same. A partner ends the waiting of all records of its partner's time and key.
 *
 * The clock of the join takes every record, also those that are dropped: with a null value, or with a null key where
 * the side is not kept. With a null key a kept side's record comes alone at once.
 */
export const createJoinStreams: OperatorFactory<'joinStreams'> = (node, context, [next]) => {
  const join = new StreamJoin(node, context, next);
  const left = createHalf(node, context, LEFT);
  const right = createHalf(node, context, RIGHT, node.rightStore === node.leftStore ? left.buffer : undefined);
  const flush = createFlush(node, context, join, left, right);
  return {
    inputs: [(record) => join.take(left, right, flush, record), (record) => join.take(right, left, flush, record)],
    ...(flush !== undefined && { time: () => flush.time(), held: () => flush.held(), end: () => flush.end() }),
  };
};

class StreamJoin {
  readonly key: Serde<unknown>;
  readonly clock: OperatorClock;
  readonly #keyView: View<unknown>;
  readonly #merge: Merge;
  readonly #mergesWithKey: boolean;
  readonly #context: OperatorContext;
  readonly #next: Push;
  readonly #out = new Rec();

  constructor(node: NodeOf<'joinStreams'>, context: OperatorContext, next: Push) {
    const { key } = context.storeSerdes(node.leftStore);
    const merge = context.fn<Merge>('merge', node.merge);
    this.key = key;
    this.clock = context.clock('clock');
    this.#keyView = shared(key, `${node.id} key`, () => key.view());
    this.#merge = merge;
    this.#mergesWithKey = takesKey(merge);
    this.#context = context;
    this.#next = next;
  }

  take(own: Half, other: Half, flush: PendingFlush | undefined, record: Rec): void {
    const { clock } = this;
    const at = record.timestamp;
    clock.see(at);
    flush?.resume(record);
    if (record.valueIsNull) {
      this.#context.drop('null-value', record);
      return;
    }
    if (record.keyIsNull) {
      if (own.alone) this.#emitAlone(own.side, record);
      else this.#context.drop('null-key', record);
      return;
    }
    record.encodeKey(this.key);
    record.encodeValue(own.value);
    if (own.keeps === 'first') this.#keep(own, record);
    if (at === clock.value) flush?.ask(record, own.afterMs);
    const to = atLeast0(at + own.afterMs);
    const met = this.#meet(own, other, flush, record, to);
    if (own.keeps === 'last') this.#keep(own, record);
    else if (own.keeps === 'never' && !own.buffer.holds(at)) this.#context.drop('late', record);
    if (met || !own.alone) return;
    if (to < clock.value) this.#emitAlone(own.side, record);
    else flush!.waits(own.side, record);
  }

  #keep(own: Half, record: Rec): void {
    if (!own.buffer.add(record)) this.#context.drop('late', record);
  }

  /** Emits the pairs of a record with those of the other side; false where there are none. */
  #meet(own: Half, other: Half, flush: PendingFlush | undefined, record: Rec, to: Millis): boolean {
    const at = record.timestamp;
    const { buffer } = other;
    const out = this.#out;
    let met = false;
    buffer.seek(record.keyBytes, record.keyStart, record.keyEnd, atLeast0(at - own.beforeMs), to);
    while (buffer.next()) {
      met = true;
      const { time } = buffer;
      if (other.alone) flush!.meets(other.side, time, record);
      const theirs = other.view(buffer.bytes, buffer.start, buffer.end);
      out.takeKey(record);
      if (time > at) out.timestamp = time;
      this.#emit(own.side, record.value, theirs);
    }
    return met;
  }

  #emit(side: Side, own: unknown, other: unknown): void {
    const merge = this.#merge;
    const out = this.#out;
    const left = side === LEFT ? own : other;
    const right = side === LEFT ? other : own;
    out.setValue(this.#mergesWithKey ? merge(left, right, out.key) : merge(left, right));
    this.#next(out);
  }

  #emitAlone(side: Side, record: Rec): void {
    this.#out.takeKey(record);
    this.#emit(side, record.value, null);
  }

  /** One that has waited, brought by `origin`; its value is decoded by now. */
  emitPending(side: Side, value: unknown, origin: Rec, cursor: PendingCursor): void {
    const { scan } = cursor;
    const out = this.#out;
    out.takeOrigin(origin);
    out.timestamp = cursor.time;
    out.setKeyBytes(this.key, this.#keyView, scan.key, cursor.keyStart, scan.keyEnd);
    this.#emit(side, value, null);
  }
}

/** As in Kafka Streams, a bound below 0 is taken as 0, also where the whole window lies below. */
function atLeast0(time: Millis): Millis {
  return time > 0 ? time : 0;
}

function createFlush(
  node: NodeOf<'joinStreams'>,
  context: OperatorContext,
  join: StreamJoin,
  left: Half,
  right: Half,
): PendingFlush | undefined {
  if (node.pendingStore === null) return undefined;
  const rows = new PendingRows(context.table(node.pendingStore) as BytesTable, paneMsOf(node));
  const ahead = { left: left.alone ? left.afterMs : undefined, right: right.alone ? right.afterMs : undefined };
  return new PendingFlush(rows, ahead, node.graceMs, join.clock, context, (side, origin, cursor, bytes, start, end) => {
    const { view } = side === LEFT ? left : right;
    join.emitPending(side, view(bytes, start, end), origin, cursor);
  });
}

/** `buffer` is that of the left half, where the right one has the same. */
function createHalf(node: NodeOf<'joinStreams'>, context: OperatorContext, side: Side, buffer?: JoinSide): Half {
  const isLeft = side === LEFT;
  const store = isLeft ? node.leftStore : node.rightStore;
  const { value } = context.storeSerdes(store);
  const name = isLeft ? 'left' : 'right';
  const { beforeMs, afterMs, graceMs } = node;
  const retentionMs = beforeMs + afterMs + graceMs;
  const newBuffer = () => {
    const table = context.table(store) as BytesTable;
    return new JoinSide(table, context.storeClock(store), paneMsOf(node), retentionMs);
  };
  const itself = node.leftStore === node.rightStore;
  return {
    side,
    buffer: buffer ?? newBuffer(),
    keeps: !itself ? 'first' : isLeft ? 'last' : 'never',
    value,
    view: shared(value, `${node.id} ${name}`, () => value.view()),
    beforeMs: isLeft ? beforeMs : afterMs,
    afterMs: isLeft ? afterMs : beforeMs,
    alone: node.how === 'outer' || (node.how === 'left' && isLeft),
  };
}

function paneMsOf({ beforeMs, afterMs, graceMs }: NodeOf<'joinStreams'>): Millis {
  return paneSize(beforeMs + afterMs, beforeMs + afterMs + graceMs);
}
