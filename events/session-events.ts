import type { Json, Millis } from '../core/ids.ts';

/** What happens to the session of an execution, as the execution's own step records tell it. */
export type SessionUseEvent =
  /** It waits for its turn; nothing of it begins before. */
  | { readonly type: 'session-asked'; readonly name: string; readonly id: string; readonly keys: readonly string[] }
  /** It holds the session, with these values; `holder` is another where it shares the hold of who started it. */
  | {
      readonly type: 'session-held';
      readonly name: string;
      readonly id: string;
      readonly holder: string;
      readonly keys: readonly string[];
      readonly values: { readonly [key: string]: Json };
    }
  | {
      readonly type: 'session-written';
      readonly node: number;
      readonly iteration: string;
      readonly key: string;
      readonly value: Json;
    };

/** What happens to a session, in the step records of its own: their `execution` is its address. */
export type SessionEvent =
  | {
      readonly type: 'session-queued';
      readonly execution: string;
      readonly keys: readonly string[];
      readonly ttlMs: Millis;
    }
  /** It waits no longer, and has not had it. */
  | { readonly type: 'session-left'; readonly execution: string }
  | { readonly type: 'session-granted'; readonly execution: string; readonly ttlMs: Millis }
  | { readonly type: 'session-put'; readonly key: string; readonly value: Json }
  /** Nobody holds it; it lasts until `expiresAt`. */
  | { readonly type: 'session-returned'; readonly execution: string; readonly expiresAt: Millis }
  /** Its values are gone; while it is held, those are too that its holder will write. */
  | { readonly type: 'session-emptied'; readonly why: 'cleared' | 'expired'; readonly by: string | null };
