import { fault, type PlanFault } from './faults.ts';
import type { CacheSettings, CallSettings, Plan, PlanStore } from './plan.ts';

const ORDERS: readonly string[] = ['key', 'partition', 'none'];
const BEGINS: readonly string[] = ['taken', 'committed'];

/** Calls can be made: some at a time, each at least once, in a time that there is. */
export function callFaults(plan: Plan): readonly PlanFault[] {
  return plan.nodes.flatMap((node) => {
    if (node.kind !== 'mapAsync' && node.kind !== 'lookup') return [];
    const store = plan.stores.find(({ name }) => name === node.store);
    const wrong =
      storeProblem(store) ?? callProblem(node.calls) ?? (node.kind === 'lookup' ? cacheProblem(node.cache) : undefined);
    return wrong === undefined ? [] : [fault('calls', node.id, `${node.id} ${wrong}`)];
  });
}

function callProblem({ concurrency, order, timeoutMs, attempts, backoffMs, maxBackoffMs, begin }: CallSettings) {
  if (!atLeast(1, concurrency)) return `has a concurrency of ${concurrency}; say a whole number of at least 1`;
  if (!ORDERS.includes(order)) return `has the order ${order}; say one of ${ORDERS.join(', ')}`;
  if (!atLeast(1, attempts)) return `makes ${attempts} attempts; say a whole number of at least 1`;
  if (!atLeast(1, timeoutMs)) return `gives its calls ${timeoutMs} ms; say a timeout of at least 1 ms`;
  if (!atLeast(0, backoffMs) || !atLeast(0, maxBackoffMs))
    return 'pauses for less than nothing; say a backoff of at least 0';
  if (begin !== undefined && !BEGINS.includes(begin)) return `begins its calls ${begin}; say ${BEGINS.join(' or ')}`;
  return undefined;
}

/** Who calls reads its store as its own. */
function storeProblem(store: PlanStore | undefined) {
  if (store === undefined) return undefined;
  if (store.kind !== 'calls') return `needs a calls store, and ${store.name} is a ${store.kind} store`;
  if (store.nodes.length > 1)
    return `shares the store ${store.name} with ${store.nodes.length - 1} more; name each by itself`;
  return undefined;
}

function cacheProblem({ maxEntries, ttlMs, negativeTtlMs }: CacheSettings) {
  if (!atLeast(1, maxEntries)) return `has a cache of ${maxEntries} entries; say a whole number of at least 1`;
  if (!atLeast(0, ttlMs) || !atLeast(0, negativeTtlMs))
    return 'keeps answers for less than nothing; say a ttl of at least 0';
  return undefined;
}

function atLeast(least: number, value: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
