import { fault, type PlanFault } from './faults.ts';
import type { NodeOf, Plan, PlanStore, WindowSpec } from './plan.ts';
import { timingFaults } from './rule-timing.ts';
import { mergesWindows, windowFacts } from './window-facts.ts';

/** Windows have a size, hops do not leave gaps, and stores keep windows as long as records may change them. */
export function windowFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const stores = new Map(plan.stores.map((store) => [store.name, store]));
  for (const node of plan.nodes) {
    if (node.kind === 'joinStreams') {
      const wrong = joinProblem(node, plan.stores);
      if (wrong !== undefined) found.push(fault('window', node.id, `${node.id}: ${wrong}`));
    }
    if (node.kind === 'source') found.push(...timingFaults(node));
    if (node.kind !== 'aggregate' || node.window === null) continue;
    const { window } = node;
    const tell = (words: string) => found.push(fault('window', node.id, `${node.id}: ${words}`));
    const wrong = windowProblem(window) ?? mergeProblem(node, window) ?? emitProblem(node, window);
    if (wrong !== undefined) tell(wrong);
    const kept = stores.get(node.store)?.retentionMs ?? null;
    const least = windowFacts(window).leastMs;
    if (kept !== null && goes(window)) tell('rows of these windows go when they close; leave retention out');
    if (kept !== null && least !== null && kept < least) {
      tell(
        `store ${node.store} keeps windows for ${kept} ms, less than ${leastWords(window)}; set retention to at least ${least} ms`,
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

/** Windows that need no retention, and have none. */
function goes(window: WindowSpec): boolean {
  const { kept, leastMs } = windowFacts(window);
  return kept !== 'panes' && leastMs === null;
}

function leastWords(window: WindowSpec): string {
  if (window.type === 'sliding') return 'twice the difference plus grace';
  if (window.type === 'session') return 'gap plus grace';
  return window.type === 'tumbling' || window.type === 'hopping' ? 'size plus grace' : 'the grace';
}

const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;

function windowProblem(window: WindowSpec): string | undefined {
  if ('graceMs' in window && !whole(window.graceMs, 0)) {
    return `the grace is ${window.graceMs} ms; say a whole number of at least 0`;
  }
  switch (window.type) {
    case 'tumbling':
      return sizeProblem(window.sizeMs);
    case 'hopping':
      return sizeProblem(window.sizeMs) ?? advanceProblem(window.advanceMs, window.sizeMs);
    case 'sliding':
      if (whole(window.differenceMs, 1)) return undefined;
      return `the difference is ${window.differenceMs} ms; say a whole number above 0`;
    case 'session':
      if (typeof window.gapMs === 'string' || whole(window.gapMs, 0)) return undefined;
      return `the gap is ${window.gapMs} ms; say a whole number of at least 0`;
    case 'unlimited':
      return whole(window.startMs, 0)
        ? undefined
        : `the start is ${window.startMs} ms; say a whole number of at least 0`;
    case 'count':
      return countProblem(window.size, window.every);
    case 'cumulative':
      return cumulativeProblem(window.stepMs, window.maxMs);
    case 'calendar':
      return calendarProblem(window);
    case 'custom':
      return undefined;
  }
}

function sizeProblem(size: number): string | undefined {
  return whole(size, 1) ? undefined : `the window is ${size} ms long; say a whole number above 0`;
}

function advanceProblem(advance: number, size: number): string | undefined {
  if (!whole(advance, 1)) return `the advance is ${advance} ms; say a whole number above 0`;
  if (advance <= size) return undefined;
  return `the advance of ${advance} ms leaves gaps between windows of ${size} ms; make it at most the size`;
}

function countProblem(size: number, every: number): string | undefined {
  if (!whole(size, 1)) return `the window holds ${size} records; say a whole number above 0`;
  if (!whole(every, 1)) return `a window begins every ${every} records; say a whole number above 0`;
  if (every <= size) return undefined;
  return `a window every ${every} records leaves gaps between windows of ${size}; make it at most the size`;
}

function cumulativeProblem(step: number, max: number): string | undefined {
  if (!whole(step, 1)) return `the step is ${step} ms; say a whole number above 0`;
  if (!whole(max, 1)) return `the longest window is ${max} ms long; say a whole number above 0`;
  if (max % step === 0) return undefined;
  return `the longest window of ${max} ms is no multiple of the step of ${step} ms; make it one`;
}

function calendarProblem({ unit, timeZone }: Extract<WindowSpec, { readonly type: 'calendar' }>): string | undefined {
  if (!['day', 'week', 'month'].includes(unit)) return `there are no windows of a ${unit}; say day, week or month`;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return undefined;
  } catch {
    return `there is no time zone ${JSON.stringify(timeZone)}; say a name of the IANA database, as Europe/Berlin`;
  }
}

/** Windows that become one have aggregates that must. */
function mergeProblem(node: NodeOf<'aggregate'>, window: WindowSpec): string | undefined {
  const needed = mergesWindows(window) && (node.how === 'aggregate' || node.how === 'cogroup');
  if (needed === (node.merge !== null)) return undefined;
  return needed
    ? 'windows that merge need to know how their aggregates do; give aggregate(...) a merge'
    : 'nothing merges here; leave merge out';
}

function emitProblem(node: NodeOf<'aggregate'>, window: WindowSpec): string | undefined {
  if (node.emit !== 'close' || window.type !== 'unlimited') return undefined;
  return 'an unlimited window never closes; take updates, or suppress() them until the input ends';
}
