import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import type { GraphNode } from '../graph.ts';
import { type SessionHold, type SessionName, sessionAddress } from '../sessions/sessions.ts';
import type { Effect, Header } from './lifecycle.ts';
import { SESSION_ROW } from './row.ts';
import type { Step } from './step.ts';

type Values = { readonly [key: string]: Json };
type Say = Extract<Effect, { readonly effect: 'session' }>['say'];

/** The session of an execution: before it holds that, nothing of it begins. See `sessions/sessions.ts`. */

export function waitsForSession({ session, phase }: Header): boolean {
  return session !== null && !session.isHeld && (phase === 'running' || phase === 'paused');
}

/** The execution ends: the hold of its session does, or the wait for it. `isKept`: what it has written stands. */
export function leaveSession(step: Step, isKept: boolean): Values | undefined {
  const { session } = step.header;
  if (session === null) return undefined;
  const writes = isKept ? valuesOf(step, session.written) : {};
  const { execution } = step.head;
  if (session.holder === '' || session.holder === execution) say(step, session, { do: 'return', execution, writes });
  else say(step, session, { do: 'unshare', holder: session.holder });
  return writes;
}

/** What an execution that a node starts is given of it. */
export function heldSession(step: Step): SessionHold | undefined {
  const { session } = step.header;
  if (session?.isHeld !== true) return undefined;
  const { name, id, holder, keys } = session;
  return { name, id, holder, keys, values: valuesOf(step, keys) };
}

/** One more shares the hold, which does not end before that one has ended. */
export function shareSession(step: Step): void {
  const { session } = step.header;
  if (session?.isHeld === true) say(step, session, { do: 'share', holder: session.holder });
}

/** What such an execution has written is its own. */
export function takeWrites(step: Step, { node, iteration }: At, writes: Values): void {
  if (step.header.session === null) return;
  for (const key of Object.keys(writes)) {
    step.emit({ type: 'session-written', node, iteration, key, value: writes[key]! });
  }
}

/** `session` of the expressions of a node: the keys that it declares to read, as far as they are there. */
export function sessionScope(step: Step, { session }: GraphNode): Values {
  const values: { [key: string]: Json } = valuesOf(step, session?.read ?? []);
  for (const { name, default: preset } of step.graph.session?.keys ?? []) {
    if (preset !== undefined && session?.read.includes(name) && !Object.hasOwn(values, name)) values[name] = preset;
  }
  return values;
}

function valuesOf(step: Step, keys: readonly string[]): { [key: string]: Json } {
  const values: { [key: string]: Json } = {};
  for (const key of keys) {
    const value = step.rows.output(SESSION_ROW, key);
    if (value !== undefined) values[key] = value;
  }
  return values;
}

export function say(step: Step, name: SessionName, what: Say): void {
  step.effects.push({ effect: 'session', address: sessionAddress(name), say: what });
}
