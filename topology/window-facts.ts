import type { Millis } from '../core/ids.ts';
import { type Serde, sessionWindowed, type Windowed, windowed } from '../schemas/schemas.ts';
import type { WindowSpec } from './plan.ts';

/** What follows from the kind of windows, for whoever adds their aggregate and whoever judges it. */
export interface WindowFacts {
  /**
   * `panes`: a window store; all rows of one pane are of one window or of windows that end together. `rows`: rows by
   * windowed key, with a store beside that says what is to be done when. `count`: rows by windowed key, with a store
   * beside that counts.
   */
  readonly kept: 'panes' | 'rows' | 'count';
  /** Span of every window, where keys tell its start alone; else they tell both. */
  readonly sizeMs: Millis | null;
  /** How long rows must be kept for records that may still change them, by start or end; null: until they close. */
  readonly leastMs: Millis | null;
}

export function windowFacts(window: WindowSpec): WindowFacts {
  switch (window.type) {
    case 'tumbling':
    case 'hopping':
      return { kept: 'panes', sizeMs: window.sizeMs, leastMs: window.sizeMs + window.graceMs };
    case 'sliding': {
      const { differenceMs, graceMs } = window;
      return { kept: 'rows', sizeMs: differenceMs, leastMs: 2 * differenceMs + graceMs };
    }
    case 'session': {
      const { gapMs, graceMs } = window;
      return { kept: 'rows', sizeMs: null, leastMs: typeof gapMs === 'string' ? null : gapMs + graceMs };
    }
    case 'unlimited':
      return { kept: 'panes', sizeMs: Number.POSITIVE_INFINITY, leastMs: null };
    case 'cumulative':
    case 'calendar':
      return { kept: 'panes', sizeMs: null, leastMs: window.graceMs };
    case 'count':
      return { kept: 'count', sizeMs: null, leastMs: null };
    case 'custom':
      return { kept: 'rows', sizeMs: null, leastMs: null };
  }
}

/** Whether a record may make one window of several, so that rows must be merged. */
export function mergesWindows(window: WindowSpec): boolean {
  return window.type === 'session' || (window.type === 'custom' && window.merge !== null);
}

const DAY_MS = 86_400_000;
const UNIT_MS = { day: DAY_MS, week: 7 * DAY_MS, month: 31 * DAY_MS };

/** How long after its time a record may still be waited for, at most: zero where that is not known. */
export function longestMs(window: WindowSpec): Millis {
  switch (window.type) {
    case 'tumbling':
    case 'hopping':
      return window.sizeMs + window.graceMs;
    case 'sliding':
      return window.differenceMs + window.graceMs;
    case 'session':
      return typeof window.gapMs === 'string' ? window.graceMs : window.gapMs + window.graceMs;
    case 'cumulative':
      return window.maxMs + window.graceMs;
    case 'calendar':
      return UNIT_MS[window.unit] + window.graceMs;
    case 'custom':
      return window.graceMs;
    case 'unlimited':
    case 'count':
      return 0;
  }
}

/** Keys of windows: with the start alone where all have one size, else with both ends. */
export function windowedKeySerde(window: WindowSpec, inner: Serde<unknown>): Serde<Windowed<unknown>> {
  const { sizeMs } = windowFacts(window);
  return sizeMs === null ? sessionWindowed(inner) : windowed(inner, sizeMs);
}
