import type { Json } from '../../core/ids.ts';
import type { At, FailureInfo } from '../../events/events.ts';
import { MAX_SESSION_VALUE_BYTES } from '../sessions/sessions.ts';
import { inputsOf, type Ports, scopeOf } from './inputs.ts';
import { jsonBytes } from './json-bytes.ts';
import type { Step } from './step.ts';

export interface SessionWrite {
  readonly key: string;
  readonly value: Json;
  readonly bytes: number;
}

const NONE: readonly SessionWrite[] = [];

/** What a node that is about to be COMPLETED writes to the session, or why it cannot. */
export function judgeWrites(step: Step, at: At, outputs: Ports): readonly SessionWrite[] | FailureInfo {
  const node = step.node(at);
  if (node.session === undefined || node.session.writes.length === 0) return NONE;
  const instance = `/nodes/${at.node}`;
  const found: SessionWrite[] = [];
  try {
    const scope = { ...scopeOf(step, at, node, inputsOf(step, at, node)), outputs };
    for (const { key, template } of node.session.writes) {
      const value = template.fill(scope);
      const bytes = jsonBytes(value);
      const wrong = faultOf(step, key, value, bytes);
      if (wrong !== undefined) {
        const message = `what ${node.id} writes at ${key} of the session ${wrong}`;
        return { class: 'PERMANENT', code: 'workflow.session-value', message, instance };
      }
      found.push({ key, value, bytes });
    }
  } catch (thrown) {
    return step.failure(at, thrown);
  }
  return found;
}

function faultOf(step: Step, key: string, value: Json, bytes: number): string | undefined {
  if (bytes < 0) return 'is not JSON: give plain objects, lists, texts, finite numbers';
  if (bytes > MAX_SESSION_VALUE_BYTES) {
    return `has ${bytes} bytes, more than ${MAX_SESSION_VALUE_BYTES}: keep it elsewhere, and a reference to it here`;
  }
  const wrong = step.graph.session?.keys.find(({ name }) => name === key)?.fault(value);
  return wrong === undefined ? undefined : `does not fit its schema: ${wrong}`;
}
