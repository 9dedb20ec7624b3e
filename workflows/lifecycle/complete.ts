import type { At, FailureInfo, TransitionCause } from '../../events/events.ts';
import { type Choice, chosen, chosenOnSkip, deliver } from './deliver.ts';
import type { Ports } from './inputs.ts';
import { jsonBytes } from './json-bytes.ts';
import { judgeWrites, type SessionWrite } from './session-writes.ts';
import { mayBeKept, whyNotKept } from './sized.ts';
import type { Step } from './step.ts';

/** Outputs that may be kept, and the edges they take: or why not. */
export type Judged = Fit | { readonly error: FailureInfo };
export type Fit = {
  readonly outputs: Ports;
  readonly bytes: readonly number[];
  readonly choice: Choice;
  readonly writes: readonly SessionWrite[];
  readonly error?: undefined;
};

export function judge(step: Step, at: At, given: Ports): Judged {
  const node = step.node(at);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const what = given === null ? 'null' : Array.isArray(given) ? 'a list' : typeof given;
    const message = `${node.id} gave ${what} where an object of values by port is wanted`;
    return { error: { class: 'PERMANENT', code: 'workflow.bad-output', message, instance: `/nodes/${at.node}` } };
  }
  const outputs = isEmpty(given) ? NULL_OUTPUT : given;
  const bytes: number[] = [];
  for (const port in outputs) {
    const size = jsonBytes(outputs[port]);
    if (!mayBeKept(size)) {
      const what = `what ${node.id} put out at ${port}`;
      return { error: whyNotKept(size, what, 'put out a reference to it', `/nodes/${at.node}`) };
    }
    bytes.push(size);
  }
  const writes = judgeWrites(step, at, outputs);
  if ('code' in writes) return { error: writes };
  try {
    return { outputs, bytes, choice: chosen(step, node, outputs), writes };
  } catch (thrown) {
    return { error: step.failure(at, thrown) };
  }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

const NULL_OUTPUT: Ports = { out: null };

/** Outputs first, then the end of the node, then what it makes ready. */
export function complete(step: Step, at: At, judged: Fit, cause: TransitionCause, attempt?: number): void {
  const { outputs, bytes, choice, writes } = judged;
  const { node, iteration } = at;
  let place = 0;
  for (const port in outputs) {
    const size = bytes[place++]!;
    step.emit({ type: 'output', node, iteration, port, value: outputs[port]!, bytes: size });
    step.spend(size);
  }
  for (const { key, value, bytes: size } of writes) {
    step.emit({ type: 'session-written', node, iteration, key, value });
    step.spend(size);
  }
  step.clearTimers(at);
  step.move(at, 'COMPLETED', cause, attempt);
  deliver(step, at, choice);
}

/** A node that does not run, or no further: its edges are skipped. */
export function skip(step: Step, at: At, cause: TransitionCause): void {
  step.clearTimers(at);
  step.move(at, 'CANCELLED', cause);
  deliver(step, at, chosenOnSkip(step, at, step.node(at)));
}
