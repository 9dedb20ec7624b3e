import { type DiffFault, isResolved, stageOf, storeFaults, type TwoPlans, writerOf } from './diff-faults.ts';
import type { PlanNode, PlanStore } from './plan.ts';

/** What becomes of a store. */
export interface StoreChange {
  /** Its name in the new plan; where that has it no more, in the old one. */
  readonly store: string;
  /** Its name in the old plan; null where it is new. */
  readonly was: string | null;
  /**
   * - `kept`: its rows stay where they are.
   * - `moved`: to the tasks of another stage, which restore it from its changelog.
   * - `renamed`: its changelog is copied under the new name, and restored from there.
   * - `added`: it begins empty.
   * - `removed`: nobody uses its rows any more.
   * - `refused`: its rows do not fit; see the faults.
   */
  readonly how: 'kept' | 'moved' | 'renamed' | 'added' | 'removed' | 'refused';
  /** What else changes, in words. */
  readonly notes: readonly string[];
}

interface Compared {
  readonly change: StoreChange;
  readonly faults: readonly DiffFault[];
}

/** Compares a store of the old plan with one of the new one; one of them may be missing. */
export function storeChange(plans: TwoPlans, before: PlanStore | undefined, after: PlanStore | undefined): Compared {
  if (before === undefined) return { change: changed(after!.name, null, 'added'), faults: [] };
  if (after === undefined) return { change: changed(before.name, before.name, 'removed'), faults: [] };
  const faults = storeFaults(plans, before, after);
  const how = faults.length > 0 ? 'refused' : movement(plans, before, after);
  return { change: changed(after.name, before.name, how, notes(plans, before, after)), faults };
}

function changed(store: string, was: string | null, how: StoreChange['how'], notes: readonly string[] = []) {
  return { store, was, how, notes };
}

function movement({ from, to }: TwoPlans, before: PlanStore, after: PlanStore): StoreChange['how'] {
  if (before.name !== after.name) return 'renamed';
  return stageOf(from, before)?.id === stageOf(to, after)?.id ? 'kept' : 'moved';
}

function notes({ from, to }: TwoPlans, before: PlanStore, after: PlanStore): readonly string[] {
  const found: string[] = [];
  if (before.value !== after.value && isResolved(before.value, after.value)) {
    found.push(`rows of ${before.value} are read as ${after.value}`);
  }
  if (before.retentionMs !== after.retentionMs && after.kind === 'window') {
    found.push(`rows are kept for ${after.retentionMs} ms, and were for ${before.retentionMs} ms`);
  }
  const [former, writer] = [writerOf(from, before), writerOf(to, after)].map(work);
  if (former !== writer)
    found.push(`it is written by ${writer}, and was by ${former}: rows that are there stay as they are`);
  return found;
}

/** What a node does to its store, without its names. */
function work(node: PlanNode | undefined): string {
  if (node === undefined) return 'nobody';
  return 'how' in node ? node.how : node.kind;
}
