import type { Millis } from '../core/ids.ts';
import type { Input } from './inputs.ts';

/** The input with the oldest head; undefined while one that may hold older records is awaited. */
export function nextInput(inputs: readonly Input[]): Input | undefined {
  if (inputs.length === 1) {
    const only = inputs[0]!;
    return only.fill() && !isAhead(only) ? only : undefined;
  }
  let oldest: Input | undefined;
  for (const input of inputs) {
    if (!input.fill()) {
      if (input.awaited || (input.awaitsEnd && !input.ended)) return undefined;
      continue;
    }
    if (oldest === undefined || input.head < oldest.head) oldest = input;
  }
  return oldest === undefined || isAhead(oldest) ? undefined : oldest;
}

/** The smallest head of the other inputs: up to there this one may run on. */
export function limitFor(input: Input, inputs: readonly Input[]): Millis {
  let limit = input.ceiling === undefined ? Number.POSITIVE_INFINITY : input.ceiling();
  if (inputs.length === 1) return limit;
  let before = true;
  for (const other of inputs) {
    if (other === input) {
      before = false;
      continue;
    }
    if (other.left > 0) limit = Math.min(limit, before ? other.head - 1 : other.head);
  }
  return limit;
}

function isAhead(input: Input): boolean {
  return input.ceiling !== undefined && input.head > input.ceiling();
}
