import type { Millis } from '../../core/ids.ts';
import type { SessionEvent } from '../../events/events.ts';
import type { SessionHold, SessionName, SessionSay } from '../sessions/sessions.ts';
import type { SessionRows } from './session-rows.ts';

/** What a session is told; `expire` by its timer. */
export type SessionTold = SessionSay | { readonly do: 'expire' };

export interface SessionStep {
  readonly name: SessionName;
  /** Number and time of the step. */
  readonly seq: number;
  readonly at: Millis;
  readonly by: string | null;
}

export interface SessionDecided {
  readonly events: readonly SessionEvent[];
  /** Whose turn has come. */
  readonly granted: SessionHold | undefined;
}

/** Judges what a session is told, and applies what comes of it to the rows. Pure: no clock but the step's. */
export function decideSession(rows: SessionRows, told: SessionTold, step: SessionStep): SessionDecided {
  const events: SessionEvent[] = [];
  let granted: SessionHold | undefined;
  const emit = (event: SessionEvent) => {
    events.push(event);
    rows.evolve(step, event);
  };
  const grant = (execution: string, keys: readonly string[], ttlMs: Millis) => {
    emit({ type: 'session-granted', execution, ttlMs });
    granted = { ...step.name, holder: execution, keys, values: rows.values(keys) };
  };
  if (isExpired(rows, step.at)) emit({ type: 'session-emptied', why: 'expired', by: null });
  switch (told.do) {
    case 'ask': {
      const { execution, keys, ttlMs } = told;
      if (rows.header.holder === null) grant(execution, keys, ttlMs);
      else emit({ type: 'session-queued', execution, keys, ttlMs });
      break;
    }
    case 'return': {
      const { execution, writes } = told;
      const { holder, expiresAt } = rows.header;
      if (holder?.execution !== execution) {
        if (rows.isWaiting(execution)) emit({ type: 'session-left', execution });
        break;
      }
      for (const key of holder.drops ? [] : Object.keys(writes))
        emit({ type: 'session-put', key, value: writes[key]! });
      emit({ type: 'session-returned', execution, expiresAt: Math.max(expiresAt, step.at + holder.ttlMs) });
      const next = rows.waiter();
      if (next !== undefined) grant(next.execution, next.keys, next.ttlMs);
      break;
    }
    case 'clear': {
      const { holder, keys } = rows.header;
      if (keys.length > 0 || holder?.drops === false) emit({ type: 'session-emptied', why: 'cleared', by: step.by });
      break;
    }
    case 'expire':
      break;
  }
  rows.settle();
  return { events, granted };
}

function isExpired({ header }: SessionRows, at: Millis): boolean {
  return header.holder === null && header.keys.length > 0 && header.expiresAt <= at;
}
