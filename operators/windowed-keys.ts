import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { NodeOf, WindowSpec } from '../topology/plan.ts';
import { Calendar } from './calendar.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';

export interface WindowedKeys {
  /** Gives a record the key `bytes[keyStart, keyEnd)` within the window of the pane. */
  set(record: Rec, pane: Millis, bytes: Bytes, keyStart: number, keyEnd: number): void;
}

/**
 * Encodes keys of windows: the key's bytes, then the start, which is the pane, in the form of `windowed` of `schemas/`;
 * or, where the pane is the end, then the end and the start, as `sessionWindowed` has it.
 */
export function createWindowedKeys(
  node: NodeOf<'aggregate'>,
  context: OperatorContext,
  of: 'updates' | 'finals',
): WindowedKeys {
  const serde: Serde<unknown> = context.serde(node.key!);
  const view = shared(serde, `${node.id} key of ${of}`, () => serde.view());
  const scratch = new ByteWriter(64);
  const startOf = startOfPane(node.window!);
  if (startOf === undefined) {
    return {
      set(record, start, bytes, keyStart, keyEnd) {
        scratch.clear();
        scratch.copy(bytes, keyStart, keyEnd);
        scratch.int64(start);
        record.setKeyBytes(serde, view, scratch.bytes, 0, scratch.at);
      },
    };
  }
  return {
    set(record, end, bytes, keyStart, keyEnd) {
      scratch.clear();
      scratch.copy(bytes, keyStart, keyEnd);
      scratch.int64(end);
      scratch.int64(startOf(end));
      record.setKeyBytes(serde, view, scratch.bytes, 0, scratch.at);
    },
  };
}

/** Where panes are the ends of windows: the start by the end. */
export function startOfPane(window: WindowSpec): ((end: Millis) => Millis) | undefined {
  if (window.type === 'cumulative') {
    const { maxMs } = window;
    return (end) => startBefore(end - 1, maxMs);
  }
  if (window.type !== 'calendar') return undefined;
  const calendar = new Calendar(window);
  return (end) => {
    calendar.moveTo(end - 1);
    return calendar.start;
  };
}

/** The largest multiple of `step` that is at most `at`. Exact below 2^52; the quotient's rounding is made good. */
export function startBefore(at: number, step: number): number {
  const start = Math.floor(at / step) * step;
  return start > at ? start - step : start;
}
