import type { Json, Millis } from '../core/ids.ts';
import type { PolicySpec, RetrySpec } from './document.ts';
import { durationOf } from './duration.ts';
import type { GraphNode, Retry } from './graph.ts';

/** What holds where neither a node nor its document nor its type say anything. */
const BASE = {
  retry: {
    maxAttempts: 1,
    backoff: 'exponential',
    initial: '200ms',
    max: '30s',
    factor: 2,
    jitter: 'full',
    on: ['TRANSIENT', 'SYSTEM'],
  },
  onError: 'fail',
  required: true,
  quarantine: true,
  priority: 5,
} as const satisfies PolicySpec;

/** Policies over each other, the last one first: retries and timeouts field by field, everything else as a whole. */
export function mergedPolicy(...policies: readonly (PolicySpec | undefined)[]): PolicySpec {
  let merged: PolicySpec = BASE;
  for (const policy of policies) {
    if (policy === undefined) continue;
    const retry = { ...merged.retry, ...policy.retry };
    merged = Object.assign({}, merged, policy, { retry, timeout: { ...merged.timeout, ...policy.timeout } });
  }
  return merged;
}

export type CompiledPolicy = Pick<
  GraphNode,
  'retry' | 'timeouts' | 'onError' | 'required' | 'quarantine' | 'priority' | 'pool'
>;

export function compiledPolicy(policy: PolicySpec): CompiledPolicy {
  const { queue, run, total } = policy.timeout ?? {};
  return {
    retry: compiledRetry({ ...BASE.retry, ...policy.retry }),
    timeouts: { queueMs: span(queue), runMs: span(run), totalMs: span(total) },
    onError: policy.onError ?? BASE.onError,
    required: policy.required ?? BASE.required,
    quarantine: policy.quarantine ?? BASE.quarantine,
    priority: policy.priority ?? BASE.priority,
    pool: poolOf(policy.placement),
  };
}

function compiledRetry(retry: Required<RetrySpec>): Retry {
  const { maxAttempts, backoff, factor, jitter, on } = retry;
  return {
    maxAttempts,
    backoff,
    initialMs: span(retry.initial) ?? 0,
    maxMs: span(retry.max) ?? 0,
    factor,
    jitter,
    on,
  };
}

function span(text: string | undefined): Millis | null {
  return text === undefined ? null : (durationOf(text) ?? null);
}

function poolOf(placement: Json | undefined): string {
  if (typeof placement !== 'object' || placement === null || !('pool' in placement)) return 'default';
  const { pool } = placement;
  // rows of slots are named by it
  return typeof pool === 'string' && pool !== '' && !pool.includes('\0') ? pool : 'default';
}
