import { FlowError } from '../core/errors.ts';
import type { Json, Millis } from '../core/ids.ts';
import type { LedgerRow } from './ledger.ts';

/** Version 1 of the row in which the ledger keeps the plan that the state of an application belongs to. */
const STORED_PLAN_VERSION = 1;

export const PLAN_KEY = 'plan';

/** A plan as JSON, and the hash of the one to which its state is just being copied, or null. */
export interface StoredPlan {
  readonly plan: unknown;
  readonly next: string | null;
}

export function planRow(at: Millis, { plan, next }: StoredPlan): LedgerRow {
  return { key: PLAN_KEY, at, value: { version: STORED_PLAN_VERSION, plan: plan as Json, next } };
}

/** What the value of such a row says. */
export function storedPlanOf(topic: string, value: unknown): StoredPlan {
  const { version, plan, next } = value as { readonly version?: number } & Partial<StoredPlan>;
  if (version === STORED_PLAN_VERSION) return { plan, next: next ?? null };
  throw new FlowError(
    'state.format',
    `topic ${topic} keeps a plan in version ${version}, this version reads ${STORED_PLAN_VERSION}: use the version that wrote it or a newer one`,
  );
}
