import type { Millis } from '../core/ids.ts';
import type { NodeOf, WindowOf } from '../topology/plan.ts';
import { Calendar } from './calendar.ts';
import { createFold } from './fold.ts';
import { NOWHERE } from './fuse.ts';
import type { Operator, OperatorContext, Push } from './operators.ts';
import { Rec } from './record.ts';
import { WindowCloser } from './window-closer.ts';
import { createWindowedKeys, startBefore } from './windowed-keys.ts';

/** Windows whose rows lie by panes. */
type PaneWindow = WindowOf<'tumbling' | 'hopping' | 'unlimited' | 'cumulative' | 'calendar'>;

/**
 * Aggregates per key and window `[start, end)`, for windows that are the same for all keys; only the first of a
 * calendar may have a negative start. A pane holds one window: it is its start, and of cumulative and calendar windows,
 * of which several may start together or whose lengths differ, its end.
 *
 * The clock is the operator's own: each record moves it, one with a null key too, before it is judged. A window is
 * closed when its end plus the grace is at most the clock; a record is dropped as late once for each of its
 * windows that has closed, and goes to the others. Final results: see `window-closer.ts`.
 */
export function createWindowedAggregate(
  node: NodeOf<'aggregate'>,
  window: PaneWindow,
  context: OperatorContext,
  next: readonly Push[],
): Operator {
  const spanMs = spanOf(window);
  const { key: keySerde } = context.storeSerdes(node.store);
  const clock = context.clock('clock');
  const closer = new WindowCloser(node, spanMs, clock, context, next[1] ?? NOWHERE);
  const updates = next[0]!;
  const wanted = updates !== NOWHERE;
  const fold = createFold(node, context, wanted);
  const keys = createWindowedKeys(node, context, 'updates');
  const out = new Rec();

  /** False where the window has closed. */
  function update(pane: Millis, record: Rec): boolean {
    const closesAt = pane + spanMs;
    if (closesAt <= clock.value) return false;
    if (closesAt < closer.due) closer.due = closesAt;
    if (wanted) {
      out.takeOrigin(record);
      out.latest = true;
    }
    fold(pane, record, out);
    closer.wrote(pane);
    if (!wanted) return true;
    keys.set(out, pane, record.keyBytes, record.keyStart, record.keyEnd);
    updates(out);
    return true;
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

  const late = (record: Rec, times: number) => context.drop('late', record, times);
  const longestMs = longestOf(window);
  return {
    inputs: [createAssigner(window, admit, update, late)],
    time() {
      if (clock.value >= closer.due) closer.close();
    },
    held: () => closer.held() - longestMs,
    start: () => closer.close(),
    end: () => closer.end(),
  };
}

/** From a pane to the clock at which its windows are closed. */
function spanOf(window: PaneWindow): Millis {
  if (window.type === 'cumulative' || window.type === 'calendar') return window.graceMs;
  if (window.type === 'unlimited') return Number.MAX_SAFE_INTEGER - window.startMs;
  return window.sizeMs + window.graceMs;
}

const HOUR_MS = 3_600_000;
const LONGEST_UNIT_MS = { day: 25 * HOUR_MS, week: (7 * 24 + 1) * HOUR_MS, month: (31 * 24 + 1) * HOUR_MS };

/** From the start of a window to its pane, at most. */
function longestOf(window: PaneWindow): Millis {
  if (window.type === 'cumulative') return window.maxMs;
  return window.type === 'calendar' ? LONGEST_UNIT_MS[window.unit] : 0;
}

type Admit = (record: Rec) => boolean;
type Update = (pane: Millis, record: Rec) => boolean;
type Late = (record: Rec, times: number) => void;

/** Puts each record that is admitted into the panes of its windows, in order of their ends. */
function createAssigner(window: PaneWindow, admit: Admit, update: Update, late: Late): Push {
  switch (window.type) {
    case 'tumbling':
      return tumbling(window.sizeMs, admit, update, late);
    case 'hopping': {
      const { sizeMs, advanceMs } = window;
      if (advanceMs === sizeMs) return tumbling(sizeMs, admit, update, late);
      return (record) => {
        if (!admit(record)) return;
        const at = record.timestamp;
        const first = startBefore(Math.max(0, at - sizeMs + advanceMs), advanceMs);
        let closed = 0;
        for (let start = first; start <= at; start += advanceMs) if (!update(start, record)) closed++;
        if (closed > 0) late(record, closed);
      };
    }
    case 'unlimited': {
      const { startMs } = window;
      return (record) => {
        if (admit(record) && record.timestamp >= startMs && !update(startMs, record)) late(record, 1);
      };
    }
    case 'cumulative': {
      const { stepMs, maxMs } = window;
      return (record) => {
        if (!admit(record)) return;
        const at = record.timestamp;
        const last = startBefore(at, maxMs) + maxMs;
        let closed = 0;
        for (let end = startBefore(at, stepMs) + stepMs; end <= last; end += stepMs) if (!update(end, record)) closed++;
        if (closed > 0) late(record, closed);
      };
    }
    case 'calendar': {
      const calendar = new Calendar(window);
      return (record) => {
        if (!admit(record)) return;
        calendar.moveTo(record.timestamp);
        if (!update(calendar.end, record)) late(record, 1);
      };
    }
  }
}

function tumbling(sizeMs: Millis, admit: Admit, update: Update, late: Late): Push {
  let start = 0;
  return (record) => {
    if (!admit(record)) return;
    const at = record.timestamp;
    if (at < start || at >= start + sizeMs) start = startBefore(at, sizeMs);
    if (!update(start, record)) late(record, 1);
  };
}
