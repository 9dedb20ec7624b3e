import type { Json } from '../../core/ids.ts';
import type { FailureInfo } from '../../events/events.ts';
import { type SessionHold, type SessionName, sessionAddress, sessionIdFault } from '../sessions/sessions.ts';
import type { Command } from './lifecycle.ts';
import { say } from './session.ts';
import type { Step } from './step.ts';
import { failExecution } from './whole.ts';

type Values = { readonly [key: string]: Json };

/** Asks for the session that the document declares, or shares the hold of who started it. False: it has failed. */
export function beginSession(step: Step, given: SessionHold | undefined): boolean {
  const { session } = step.graph;
  // first of all, so that its end gives it back whatever comes
  if (given !== undefined) step.emit({ type: 'session-held', ...given });
  if (session === undefined) return true;
  const keys = session.keys.map(({ name }) => name);
  const named = nameOf(step);
  if ('error' in named) return failed(step, named.error);
  if (given === undefined) {
    step.emit({ type: 'session-asked', ...named, keys });
    say(step, named, { do: 'ask', execution: step.head.execution, keys, ttlMs: session.ttlMs });
    return true;
  }
  if (sessionAddress(named) !== sessionAddress(given)) {
    const message = `it is within ${given.holder}, which holds the session ${words(given)}, and wants ${words(named)}: within a session there is no other`;
    return failed(step, failure('workflow.session-within', message));
  }
  const missing = keys.find((key) => !given.keys.includes(key));
  if (missing !== undefined) {
    const message = `${given.holder}, which holds the session ${words(given)}, declares no key ${missing}: declare it there too`;
    return failed(step, failure('workflow.session-key', message));
  }
  return judgeHeld(step, given.values);
}

export function sessionGranted(step: Step, { session: hold }: Extract<Command, { type: 'session-granted' }>): void {
  const { session } = step.header;
  if (session === null || session.isHeld || sessionAddress(session) !== sessionAddress(hold)) return;
  step.emit({ type: 'session-held', ...hold });
  judgeHeld(step, hold.values);
}

/** What another version, or another workflow, has written may not be what this one declares. */
function judgeHeld(step: Step, values: Values): boolean {
  for (const { name, fault } of step.graph.session!.keys) {
    const wrong = Object.hasOwn(values, name) ? fault(values[name]!) : undefined;
    if (wrong === undefined) continue;
    const message = `the session holds at ${name} what does not fit the schema of this workflow: ${wrong}; clear the session, or give the key another name`;
    return failed(step, failure('workflow.session-value', message));
  }
  return true;
}

function nameOf(step: Step): SessionName | { readonly error: FailureInfo } {
  const { name, id: template } = step.graph.session!;
  let id: unknown;
  try {
    id = template.fill({ input: step.header.input, user: step.header.user });
  } catch (thrown) {
    return { error: step.parts.failure(thrown, '/session/id') };
  }
  const wrong = sessionIdFault(id);
  if (wrong === undefined) return { name, id: id as string };
  return { error: failure('workflow.session-id', `the id of the session cannot be used: ${wrong}`) };
}

function failed(step: Step, error: FailureInfo): false {
  failExecution(step, error);
  return false;
}

function failure(code: string, message: string): FailureInfo {
  return { class: 'PERMANENT', code, message, instance: '/session' };
}

function words({ name, id }: SessionName): string {
  return `${name} of ${JSON.stringify(id)}`;
}
