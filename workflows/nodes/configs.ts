import type { Json } from '../../core/ids.ts';

/**
 * Configurations of the built-in types that the lifecycle itself acts on, as they are once their expressions are filled
 * in. Spans are texts such as `30s`; `durationOf` reads them.
 */
export interface DelayConfig {
  /** One of both. */
  readonly for?: string;
  /** A time as RFC 3339, or in milliseconds since the epoch. */
  readonly until?: string | number;
}

export interface SignalConfig {
  readonly name: string;
}

/** What people are shown is theirs; the engine acts on `escalateAfter` only. */
export interface ApprovalConfig {
  readonly title: string;
  readonly description?: string;
  readonly assignees?: readonly string[];
  /** A JSON Schema of the value that the answer brings. */
  readonly form?: Json;
  readonly escalateAfter?: string;
}

/** The first case that holds is taken, else the port `else`; what arrived at `in` leaves there. */
export interface SwitchConfig {
  readonly cases: readonly { readonly port: string; readonly when: boolean }[];
}

/** Puts out the results of the iterations, in the order of the items. */
export interface MapConfig {
  readonly items: readonly Json[];
  /** Default: all at once. */
  readonly concurrency?: number;
  /** What becomes of an item that fails: the map with it (the default), null in its place, or nothing. */
  readonly onItemFailure?: 'fail' | 'null' | 'omit';
}

/**
 * `while` is judged before each iteration, the first one too; when it does not hold, the loop puts out what the last
 * iteration gave. `max` iterations that were not enough are a failure, `workflow.loop-limit`.
 */
export interface LoopConfig {
  readonly while: boolean;
  readonly max: number;
}

/** Default of `input`: what arrived at `in`. */
export interface ChildConfig {
  readonly workflow: string;
  readonly version?: string;
  readonly input?: Json;
}
