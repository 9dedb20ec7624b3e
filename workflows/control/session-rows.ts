import type { Json, Millis } from '../../core/ids.ts';
import type { SessionEvent, StepRecord } from '../../events/events.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** A session as a whole. Row version 1. */
export interface SessionHeader {
  readonly seq: number;
  readonly at: Millis;
  /** What uses have promised; while it is held it lasts. */
  readonly expiresAt: Millis;
  readonly holder: SessionHolder | null;
  /** Those that there are. */
  readonly keys: readonly string[];
  /** Who waits has a number from `first` to `next`; how many they are. */
  readonly first: number;
  readonly next: number;
  readonly waiting: number;
}

export interface SessionHolder {
  readonly execution: string;
  readonly since: Millis;
  readonly ttlMs: Millis;
  /** It was cleared meanwhile: what the holder writes is dropped. */
  readonly drops: boolean;
}

export interface SessionWaiter {
  readonly execution: string;
  readonly keys: readonly string[];
  readonly ttlMs: Millis;
}

const NEW: SessionHeader = {
  ...{ seq: 0, at: 0, expiresAt: 0, holder: null, keys: [] },
  ...{ first: 1, next: 1, waiting: 0 },
};
const PREFIX = '\0K';
const DIGITS = 13;

/**
 * The rows of one session, over the store of its partition. They are the fold of its step records: nothing but
 * {@link evolve} changes them.
 *
 *     \0K <address>                    the session as a whole
 *     \0K <address> \0 v <key>         a value
 *     \0K <address> \0 w <number>      who waits, in order
 *     \0K <address> \0 x <execution>   the number of who waits
 */
export class SessionRows {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete' | 'range'>;
  readonly #name: string;
  #header: SessionHeader;

  constructor(store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete' | 'range'>, address: string) {
    this.#store = store;
    this.#name = `${PREFIX}${address}`;
    const stored = store.get(this.#name) as readonly [1, SessionHeader] | undefined;
    this.#header = stored === undefined ? NEW : stored[1];
  }

  get header(): SessionHeader {
    return this.#header;
  }

  value(key: string): Json | undefined {
    return this.#header.keys.includes(key) ? this.#store.get(`${this.#name}\0v${key}`) : undefined;
  }

  values(keys: readonly string[] = this.#header.keys): { readonly [key: string]: Json } {
    const there = keys.filter((key) => this.#header.keys.includes(key));
    return Object.fromEntries(there.map((key) => [key, this.value(key)!]));
  }

  isWaiting(execution: string): boolean {
    return this.#header.waiting > 0 && this.#store.get(`${this.#name}\0x${execution}`) !== undefined;
  }

  /** Whose turn is next. */
  waiter(): SessionWaiter | undefined {
    if (this.#header.waiting === 0) return undefined;
    // not from the start of the queue, where rows lie that are gone
    for (const [, stored] of this.#store.range(this.#place(this.#header.first), `${this.#name}\0w\uffff`)) {
      return stored as unknown as SessionWaiter;
    }
    return undefined;
  }

  /** The one place where a session changes. */
  evolve({ seq, at }: Pick<StepRecord, 'seq' | 'at'>, event: SessionEvent): void {
    this.#header = { ...this.#header, seq, at };
    switch (event.type) {
      case 'session-queued':
        this.#join(event);
        return;
      case 'session-left':
        this.#leave(event.execution);
        return;
      case 'session-granted': {
        const { execution, ttlMs } = event;
        this.#leave(execution);
        this.#header = { ...this.#header, holder: { execution, since: at, ttlMs, drops: false } };
        return;
      }
      case 'session-put': {
        const { keys } = this.#header;
        this.#store.put(`${this.#name}\0v${event.key}`, event.value);
        if (!keys.includes(event.key)) this.#header = { ...this.#header, keys: [...keys, event.key] };
        return;
      }
      case 'session-returned':
        this.#header = { ...this.#header, holder: null, expiresAt: event.expiresAt };
        return;
      case 'session-emptied': {
        const { holder } = this.#header;
        for (const key of this.#header.keys) this.#store.delete(`${this.#name}\0v${key}`);
        const dropping = holder === null || event.why === 'expired' ? holder : { ...holder, drops: true };
        this.#header = { ...this.#header, keys: [], expiresAt: 0, holder: dropping };
        return;
      }
    }
  }

  /** At the end of a step: a session that nobody holds, and that holds nothing, is none. */
  settle(): void {
    const { holder, keys } = this.#header;
    if (holder === null && keys.length === 0) {
      this.#store.delete(this.#name);
      this.#header = NEW;
    } else this.#store.put(this.#name, [1, this.#header] as unknown as Json);
  }

  #join({ execution, keys, ttlMs }: SessionWaiter): void {
    const { next, waiting, first } = this.#header;
    this.#store.put(this.#place(next), { execution, keys, ttlMs });
    this.#store.put(`${this.#name}\0x${execution}`, next);
    this.#header = { ...this.#header, next: next + 1, waiting: waiting + 1, first: waiting === 0 ? next : first };
  }

  #leave(execution: string): void {
    const row = `${this.#name}\0x${execution}`;
    const number = this.#header.waiting === 0 ? undefined : (this.#store.get(row) as number | undefined);
    if (number === undefined) return;
    this.#store.delete(row);
    this.#store.delete(this.#place(number));
    const { first, waiting } = this.#header;
    this.#header = { ...this.#header, waiting: waiting - 1, first: number === first ? number + 1 : first };
  }

  #place(number: number): string {
    return `${this.#name}\0w${String(number).padStart(DIGITS, '0')}`;
  }
}

/** The rows of one session stand in this interval. */
export function sessionRowsOf(address: string): readonly [from: string, to: string] {
  return [`${PREFIX}${address}`, `${PREFIX}${address}\u0001`];
}
