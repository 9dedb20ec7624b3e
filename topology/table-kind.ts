import { type Duration, millis } from '../core/duration.ts';
import type { PlanStore } from './plan.ts';

/** The store of a table: with earlier versions where it is given a history. */
export function tableKind(
  store: string,
  { history }: { readonly history?: Duration | undefined },
): Pick<PlanStore, 'kind' | 'retentionMs'> {
  if (history === undefined) return { kind: 'key-value', retentionMs: null };
  return { kind: 'versioned', retentionMs: millis(history, `the history of store ${store}`) };
}
