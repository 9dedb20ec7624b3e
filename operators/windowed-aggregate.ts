import type { NodeOf, WindowSpec } from '../topology/plan.ts';
import { createFold } from './fold.ts';
import { NOWHERE } from './fuse.ts';
import type { Operator, OperatorContext, Push } from './operators.ts';
import { Rec } from './record.ts';
import { WindowCloser } from './window-closer.ts';
import { createWindowedKeys } from './windowed-keys.ts';

/**
 * Aggregates per key and window `[start, start + size)`, windows aligned to the epoch, none with a negative start.
 * The clock is the operator's own: each record moves it, one with a null key too, before it is judged. A window is
 * closed when `start + size + grace` is at most the clock; a record is dropped as late once for each of its
 * windows that has closed, and goes to the others. Final results: see `window-closer.ts`.
 */
export function createWindowedAggregate(
  node: NodeOf<'aggregate'>,
  window: WindowSpec,
  context: OperatorContext,
  next: readonly Push[],
): Operator {
  const { sizeMs, graceMs } = window;
  const advanceMs = window.type === 'tumbling' ? sizeMs : window.advanceMs;
  const spanMs = sizeMs + graceMs;
  const { key: keySerde } = context.storeSerdes(node.store);
  const clock = context.clock('clock');
  const closer = new WindowCloser(node, sizeMs, spanMs, clock, context, next[1] ?? NOWHERE);
  const updates = next[0]!;
  const wanted = updates !== NOWHERE;
  const fold = createFold(node, context, wanted);
  const keys = createWindowedKeys(node, sizeMs, context, 'updates');
  const out = new Rec();

  function update(start: number, record: Rec): void {
    const closesAt = start + spanMs;
    if (closesAt <= clock.value) {
      context.drop('late', record);
      return;
    }
    if (closesAt < closer.due) closer.due = closesAt;
    if (wanted) {
      out.takeOrigin(record);
      out.latest = true;
    }
    fold(start, record, out);
    if (!wanted) return;
    keys.set(out, start, record.keyBytes, record.keyStart, record.keyEnd);
    updates(out);
  }

  /** Moves the clock and readies the key; false where the record has none. */
  function admit(record: Rec): boolean {
    clock.see(record.timestamp);
    if (clock.value >= closer.due) closer.close();
    if (record.keyIsNull) {
      context.drop('null-key', record);
      return false;
    }
    record.encodeKey(keySerde);
    return true;
  }

  let tumblingStart = 0;
  function tumbling(record: Rec): void {
    if (!admit(record)) return;
    const at = record.timestamp;
    if (at < tumblingStart || at >= tumblingStart + sizeMs) tumblingStart = startBefore(at, sizeMs);
    update(tumblingStart, record);
  }

  function hopping(record: Rec): void {
    if (!admit(record)) return;
    const at = record.timestamp;
    for (let start = startBefore(Math.max(0, at - sizeMs + advanceMs), advanceMs); start <= at; start += advanceMs) {
      update(start, record);
    }
  }

  return {
    inputs: [advanceMs === sizeMs ? tumbling : hopping],
    start: () => closer.close(),
    end: () => closer.end(),
  };
}

/** The largest multiple of `step` that is at most `at`. Exact below 2^52; the quotient's rounding is made good. */
function startBefore(at: number, step: number): number {
  const start = Math.floor(at / step) * step;
  return start > at ? start - step : start;
}
