import type { Json, Millis } from '../../core/ids.ts';

/**
 * Sessions: what executions of one user keep between them, by name and id.
 *
 * A document declares which session its executions use (`session` of {@link WorkflowDocument}): `name`, by default the
 * workflow's id; `id`, an expression over `input` and `user`, which says whose it is; `ttl`; and the `keys` that its nodes may read
 * and write. Workflows that declare one name share its sessions, each sees and writes the keys that it declares itself.
 *
 * - **One at a time.** An execution asks for its session when it starts, and nothing of it begins before it holds it.
 *   Executions hold a session in the order in which they asked. A hold ends with the execution, whatever its end is. One
 *   that waits can be cancelled, paused, and ended by its deadline.
 * - **Values** are those of the moment at which the hold began; what the execution's own nodes have written since they
 *   see at once, in the order of their ends. Where it is COMPLETED, all that it has written becomes the session's, in the
 *   step that ends the hold; where it is FAILED or CANCELLED, nothing of it: so the values are always those of executions
 *   one after the other, of which each has had its whole effect or none.
 * - **Executions that nodes start** share the hold of who started them, where they declare the same session, or none;
 *   they see what that one sees, and what they have written is its own when they are COMPLETED. They may declare no key
 *   that it does not declare. The hold ends when the last of them has ended too. Within a hold no other session can be
 *   had: so who holds one never waits for another, and there is no deadlock.
 * - **A fork** is an execution like any other: it waits for its turn, and finds the values of then. What is pinned in it
 *   writes what it writes, as every node that is COMPLETED.
 * - **Expiry.** A session lasts for `ttl` behind its last use: the beginning or the end of a hold. While it is held, it
 *   lasts. Where workflows declare several, a use never shortens what another has promised. At the very millisecond it is
 *   empty, for whoever asks.
 * - **To clear** one empties it, after who holds it: what that one has written is dropped, and whoever waits finds nothing.
 *
 * Where it lives: a session is of the partition of its address, `session:<name>:<id>`, and so is another's than its
 * executions: these have ids that users, schedules and parents give them. They ask, and are answered, by `nf.internal`,
 * in the transactions of their steps: exactly once, and nothing has to be released by time. Each step of a session leaves
 * a step record in `nf.events`, whose `execution` is the address and whose `seq` counts from 1 for as long as there is
 * something to keep: its state at any time is their fold (`session-rows.ts`). `decide-session.ts` judges what it is told.
 */
export interface SessionName {
  readonly name: string;
  readonly id: string;
}

/** What a session is told. */
export type SessionSay =
  | { readonly do: 'ask'; readonly execution: string; readonly keys: readonly string[]; readonly ttlMs: Millis }
  /** A hold ends, or the wait for one. */
  | { readonly do: 'return'; readonly execution: string; readonly writes: { readonly [key: string]: Json } }
  | { readonly do: 'clear' };

/** Who holds a session, and what of it: executions that nodes start are given it. */
export interface SessionHold extends SessionName {
  readonly holder: string;
  readonly keys: readonly string[];
  readonly values: { readonly [key: string]: Json };
}

export const MAX_SESSION_KEYS = 32;
export const MAX_SESSION_ID_CHARS = 256;
/** Of each value: what is held travels with the step that begins the hold. */
export const MAX_SESSION_VALUE_BYTES = 16 * 1024;

const PREFIX = 'session:';

/** Where a session lives; it is no id of an execution. */
export function sessionAddress({ name, id }: SessionName): string {
  return `${PREFIX}${name}:${encodeURIComponent(id)}`;
}

export function isSessionAddress(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Why a text cannot be the id of a session; undefined where it can. */
export function sessionIdFault(id: unknown): string | undefined {
  if (typeof id !== 'string') return `it is ${id === null ? 'null' : `a ${typeof id}`}, and no text`;
  if (id === '') return 'it is empty';
  if (id.length > MAX_SESSION_ID_CHARS) return `it has more than ${MAX_SESSION_ID_CHARS} characters`;
  return id.isWellFormed() ? undefined : 'it is no well-formed text';
}
