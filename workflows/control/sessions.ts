import type { Json, Millis } from '../../core/ids.ts';
import { type Cause, encodeStep } from '../../events/events.ts';
import type { KeyValueStore, ProcessContext } from '../../operators/operators.ts';
import type { Command, Effect } from '../lifecycle/lifecycle.ts';
import { decideSession, type SessionTold } from './decide-session.ts';
import { type Message, rootOf, type SessionMessage } from './messages.ts';
import type { Out } from './program.ts';
import { SessionRows } from './session-rows.ts';
import type { Timer, TimerRows } from './timer-rows.ts';

export interface SessionsParts {
  readonly store: KeyValueStore<string, Json>;
  readonly timers: Pick<TimerRows, 'set' | 'clear'>;
  /** What is put out is so in the transaction of the step. */
  readonly context: Pick<ProcessContext<string, Out>, 'forward'>;
}

/** A hold that has ended while executions which share it have not. */
interface Sharing {
  readonly open: number;
  readonly due: SessionMessage | null;
}

/**
 * Sessions of a partition: rows, a timer for the end of each, and messages to executions, which may be of other
 * partitions. And of the executions of a partition, how many share the hold of one:
 *
 *     \0H <holder>    how many there are, and what is to be said when there are none
 */
export class Sessions {
  readonly #parts: SessionsParts;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** What a step of an execution asks. */
  ask({ address, say }: Extract<Effect, { effect: 'session' }>, from: string, at: Millis): void {
    if ('holder' in say) {
      this.#share(say.holder, say.do === 'share' ? 1 : -1, at);
      return;
    }
    const message: SessionMessage = { session: address, s: say, id: from, at };
    const sharing = say.do === 'return' ? this.#sharing(say.execution) : undefined;
    if (say.do !== 'return' || sharing === undefined) this.#send(address, message, at);
    else this.#parts.store.put(holdName(say.execution), { ...sharing, due: message } as unknown as Json);
  }

  /** An execution that was to share a hold could not begin. */
  refused({ session }: Extract<Command, { type: 'start' }>, at: Millis): void {
    if (session !== undefined) this.#share(session.holder, -1, at);
  }

  take({ session, s, id, by, at = 0 }: SessionMessage, now: Millis): void {
    this.#step(session, s, Math.max(at, now), { kind: 'command', type: s.do, id, by: by ?? null });
  }

  fire({ execution: address, due }: Timer, now: Millis): void {
    this.#step(address, { do: 'expire' }, Math.max(due, now), { kind: 'timer', timer: 'expiry', due });
  }

  #step(address: string, told: SessionTold, time: Millis, cause: Cause): void {
    const { store, timers, context } = this.#parts;
    const rows = new SessionRows(store, address);
    const before = rows.header;
    const at = Math.max(before.at, time);
    const seq = before.seq + 1;
    const by = cause.kind === 'command' ? cause.by : null;
    const { events, granted } = decideSession(rows, told, { name: nameOf(address), seq, at, by });
    if (events.length === 0 && cause.kind !== 'command') return;
    // who has sent a command is told, though nothing has changed
    const record = { execution: address, seq: events.length === 0 ? 0 : seq, revision: 0, definition: '', at, cause };
    context.forward(address, { to: 'events', record: encodeStep({ ...record, events }) }, at);
    const [was, is] = [dueOf(before), dueOf(rows.header)];
    if (was !== is) {
      if (was !== undefined) timers.clear(timerOf(address, was));
      if (is !== undefined) timers.set(timerOf(address, is));
    }
    if (granted === undefined) return;
    const { holder } = granted;
    const command = { type: 'session-granted', session: granted } as const;
    this.#send(rootOf(holder), { x: holder, c: command, id: `${address} ${seq}`, at }, at);
  }

  #share(holder: string, change: 1 | -1, at: Millis): void {
    const { open, due } = this.#sharing(holder) ?? { open: 0, due: null };
    if (open + change > 0) {
      this.#parts.store.put(holdName(holder), { open: open + change, due } as unknown as Json);
      return;
    }
    this.#parts.store.delete(holdName(holder));
    if (due !== null) this.#send(due.session, due, at);
  }

  #sharing(holder: string): Sharing | undefined {
    return this.#parts.store.get(holdName(holder)) as unknown as Sharing | undefined;
  }

  #send(key: string, message: Message, at: Millis): void {
    this.#parts.context.forward(key, { to: 'internal', message }, at);
  }
}

function holdName(holder: string): string {
  return `\0H${holder}`;
}

function dueOf({ holder, keys, expiresAt }: SessionRows['header']): Millis | undefined {
  return holder === null && keys.length > 0 ? expiresAt : undefined;
}

function timerOf(address: string, due: Millis): Timer {
  return { execution: address, timer: 'expiry', node: -1, iteration: '', attempt: 0, due };
}

function nameOf(address: string) {
  const [, name, id] = address.split(':') as [string, string, string];
  return { name, id: decodeURIComponent(id) };
}
