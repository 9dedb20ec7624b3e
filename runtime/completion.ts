import type { Ledger } from '../checkpoints/checkpoints.ts';
import type { TaskSpec } from './stage.ts';

const POLL_MS = 500;

/** Resolves with true when every task has ended in the current run; with false when aborted first. */
export async function completion(ledger: Ledger, specs: readonly TaskSpec[], signal: AbortSignal): Promise<boolean> {
  for (;;) {
    if (specs.every((spec) => ledger.ended(spec.id) !== undefined)) return true;
    if (signal.aborted) return false;
    await ledger.poll(POLL_MS, signal);
  }
}
