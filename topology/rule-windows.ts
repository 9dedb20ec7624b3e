import { fault, type PlanFault } from './faults.ts';
import type { NodeOf, Plan, PlanStore, WindowSpec } from './plan.ts';

/** Windows have a size, hops do not leave gaps, and stores keep windows as long as records may change them. */
export function windowFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const stores = new Map(plan.stores.map((store) => [store.name, store]));
  for (const node of plan.nodes) {
    if (node.kind === 'joinStreams') {
      const wrong = joinProblem(node, plan.stores);
      if (wrong !== undefined) found.push(fault('window', node.id, `${node.id}: ${wrong}`));
    }
    if (node.kind !== 'aggregate' || node.window === null) continue;
    const { window } = node;
    const tell = (words: string) => found.push(fault('window', node.id, `${node.id}: ${words}`));
    const wrong = windowProblem(window);
    if (wrong !== undefined) tell(wrong);
    const kept = stores.get(node.store)?.retentionMs ?? null;
    const least = window.sizeMs + window.graceMs;
    if (kept !== null && kept < least) {
      tell(
        `store ${node.store} keeps windows for ${kept} ms, less than size plus grace; set retention to at least ${least} ms`,
      );
    }
  }
  for (const store of plan.stores) {
    // told of with the join whose it is
    if (store.kind === 'join') continue;
    // a history of nothing keeps the newest rows, and lets updates of the same time through
    const least = store.kind === 'versioned' || store.kind === 'history' ? 0 : 1;
    if (store.retentionMs !== null && !(Number.isSafeInteger(store.retentionMs) && store.retentionMs >= least)) {
      const message = `store ${store.name} has a retention of ${store.retentionMs} ms; say a whole number of at least ${least}`;
      found.push(fault('window', store.nodes[0] ?? null, message));
    }
  }
  return found;
}

/** The retention of a buffer is the join's own: no other may be said. */
function joinProblem(node: NodeOf<'joinStreams'>, stores: readonly PlanStore[]): string | undefined {
  const { beforeMs, afterMs, graceMs, leftStore, rightStore } = node;
  if (!Number.isSafeInteger(beforeMs)) return `before is ${beforeMs} ms; say a whole number`;
  if (!Number.isSafeInteger(afterMs)) return `after is ${afterMs} ms; say a whole number`;
  if (!Number.isSafeInteger(graceMs) || graceMs < 0) {
    return `the grace is ${graceMs} ms; say a whole number of at least 0`;
  }
  if (beforeMs + afterMs < 0) {
    return `the window ends before it begins: before ${beforeMs} ms and after ${afterMs} ms together are below 0; raise one of them`;
  }
  const retentionMs = beforeMs + afterMs + graceMs;
  const own = stores.filter(({ name }) => name === leftStore || name === rightStore);
  const other = own.find((store) => store.retentionMs !== retentionMs);
  // Two of one name and not alike are told of elsewhere.
  if (other === undefined || own.some(({ name, retentionMs: kept }) => name === other.name && kept === retentionMs)) {
    return undefined;
  }
  return `store ${other.name} keeps records for ${other.retentionMs} ms; before, after and grace make ${retentionMs} ms`;
}

function windowProblem(window: WindowSpec): string | undefined {
  const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  if (!whole(window.sizeMs, 1)) return `the window is ${window.sizeMs} ms long; say a whole number above 0`;
  if (!whole(window.graceMs, 0)) return `the grace is ${window.graceMs} ms; say a whole number of at least 0`;
  if (window.type === 'tumbling') return undefined;
  if (!whole(window.advanceMs, 1)) return `the advance is ${window.advanceMs} ms; say a whole number above 0`;
  if (window.advanceMs > window.sizeMs) {
    return `the advance of ${window.advanceMs} ms leaves gaps between windows of ${window.sizeMs} ms; make it at most the size`;
  }
  return undefined;
}
