import { fault, type PlanFault } from './faults.ts';
import type { Plan, PlanNode } from './plan.ts';
import { ownStore, putsOutChanges } from './table-rows.ts';
import { windowFacts } from './window-facts.ts';

const ROOTS: readonly string[] = ['source', 'table', 'read'];
/** Neither do they take inputs, nor does anything run on them alone. */
const GLOBAL = 'globalTable';
const ENDS: readonly string[] = ['to'];
/** What they put out is for the topic behind them. */
const CHANGES: readonly string[] = ['groupTable', 'subscribeForeign', 'answerForeign'];

/** Each node has the inputs and settings of its kind. */
export function shapeFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  if (!plan.nodes.some((node) => ROOTS.includes(node.kind))) {
    const message = `topology ${plan.name} reads nothing; begin with stream(...), table(...) or read(...)`;
    found.push(fault('shape', null, message));
  }
  for (const topic of plan.topics) {
    if (!Number.isSafeInteger(topic.partitions) || topic.partitions < 1) {
      const message = `topic ${topic.name} has ${topic.partitions} partitions; say a whole number of at least 1`;
      found.push(fault('shape', null, message));
    }
  }
  for (const node of plan.nodes) {
    const inputs = node.inputs.map((input) => byId.get(input)).filter((input) => input !== undefined);
    const wrong = countProblem(node) ?? inputProblem(node, inputs) ?? settingProblem(node);
    if (wrong !== undefined) found.push(fault(wrong.code, node.id, `${node.id} ${wrong.words}`));
  }
  return found;
}

interface Problem {
  readonly code: 'shape' | 'suppress';
  readonly words: string;
}

const shape = (words: string): Problem => ({ code: 'shape', words });

function countProblem(node: PlanNode): Problem | undefined {
  const have = node.inputs.length;
  if (ROOTS.includes(node.kind) || node.kind === GLOBAL)
    return have === 0 ? undefined : shape('begins a plan and takes no inputs');
  if (node.kind === 'merge') return have >= 2 ? undefined : shape('merges fewer than two streams');
  if (node.kind === 'joinTable') return have === 2 ? undefined : shape('joins one stream with one table');
  if (node.kind === 'joinTables') return have === 2 ? undefined : shape('joins two tables');
  if (node.kind === 'joinStreams') return have === 2 ? undefined : shape('joins two streams');
  if (node.kind === 'aggregate' && node.how === 'cogroup') {
    const adds = node.adds?.length ?? 0;
    return have >= 1 && have === adds ? undefined : shape(`takes ${have} inputs, and has ${adds} functions to add by`);
  }
  if (node.kind === 'joinGlobal') return have === 2 ? undefined : shape('joins one stream with one global table');
  if (node.kind === 'joinForeign') return have === 2 ? undefined : shape('joins a table with its answers');
  if (node.kind === 'answerForeign')
    return have === 2 ? undefined : shape('answers subscriptions with rows of a table');
  return have === 1 ? undefined : shape(`takes one input, not ${have}`);
}

function hasLate(node: PlanNode): boolean {
  switch (node.kind) {
    case 'joinStreams':
    case 'deduplicate':
    case 'difference':
      return true;
    case 'joinTable':
      return node.grace !== null;
    default:
      return node.kind === 'aggregate' && node.window !== null;
  }
}

function inputProblem(node: PlanNode, inputs: readonly PlanNode[]): Problem | undefined {
  const end = inputs.find((input) => ENDS.includes(input.kind));
  if (end !== undefined) return shape(`takes records of ${end.id}, which puts none out; read its topic instead`);
  const [first, second] = inputs;
  if (first === undefined) return undefined;
  switch (node.kind) {
    case 'toStream':
      if (putsOutChanges(first)) return undefined;
      return shape(`makes a stream of ${first.id}, which is one already`);
    case 'suppress':
      if (first.kind === 'aggregate' && first.emit === 'close') {
        return {
          code: 'suppress',
          words: `has nothing to hold back: ${first.id} emits final results only; leave it out`,
        };
      }
      if (first.kind === 'aggregate' && first.window !== null) return undefined;
      return {
        code: 'suppress',
        words: `has no windows to wait for: call suppress() directly on a windowed count, reduce or aggregate, not on ${first.id}`,
      };
    case 'late':
      if (hasLate(first)) return undefined;
      return shape(
        `takes the late records of ${first.id}, to which none comes late: call late() on an aggregate of windows, a join of streams, a join with a table with grace, deduplicate or difference`,
      );
    case 'suppressBuffer':
      if (putsOutChanges(first)) return undefined;
      return shape(`holds updates of a table back, and ${first.id} is a stream`);
    case 'arm':
      if (first.kind === 'branch' && first.arms.some((arm) => arm.name === node.arm)) return undefined;
      return shape(`is no arm of ${first.id}`);
    case 'joinTable':
      if (second === undefined || (putsOutChanges(second) && ownStore(second) === node.store)) break;
      if (!putsOutChanges(second)) return shape(`joins ${second.id}, which is no table`);
      return shape(`joins ${second.id}, which is no table with ${storeWords(node.store)}`);
    case 'filterTable':
    case 'mapTable':
    case 'groupTable':
      if (putsOutChanges(first)) return undefined;
      return shape(`takes a table; ${first.id} is none: call toTable(...) on it`);
    case 'subscribeForeign':
    case 'joinTables': {
      const stream = inputs.find((input) => !putsOutChanges(input));
      return stream === undefined ? undefined : shape(`takes a table; ${stream.id} is none: call toTable(...) on it`);
    }
    case 'aggregateTable':
      if (first.kind === 'repartition') return undefined;
      return shape(`takes the changes of a grouped table behind their repartition, not records of ${first.id}`);
    case 'joinStreams':
      return streamProblem(first) ?? (second === undefined ? undefined : streamProblem(second));
    case 'joinGlobal':
      if (second === undefined || (second.kind === GLOBAL && second.store === node.store)) break;
      return shape(`joins ${second.id}, which is no global table with ${storeWords(node.store)}`);
    case 'answerForeign':
      if (first.kind === 'repartition' && second !== undefined && putsOutChanges(second)) return undefined;
      return shape('takes subscriptions behind their repartition, then a table');
    case 'joinForeign':
      if (putsOutChanges(first) && second?.kind === 'repartition') return undefined;
      return shape('takes a table, then the answers behind their repartition');
  }
  if (CHANGES.includes(first.kind)) {
    return node.kind === 'repartition' ? undefined : shape(`takes changes of ${first.id}, which need a repartition`);
  }
  const streams = node.kind === 'aggregate' ? inputs : [first];
  return streams.map(streamProblem).find((wrong) => wrong !== undefined);
}

function streamProblem(input: PlanNode): Problem | undefined {
  if (CHANGES.includes(input.kind)) return shape(`takes changes of ${input.id}, which need a repartition`);
  if (input.kind === GLOBAL) return shape(`takes a stream; a row of ${input.id} is found by joinGlobal(...)`);
  if (putsOutChanges(input)) return shape(`takes a stream; call toStream() on ${input.id}`);
  if (input.kind === 'branch') return shape(`takes records of ${input.id}; take those of one of its arms`);
  return undefined;
}

function storeWords(store: string | null): string {
  return store === null ? 'rows of other tables' : `the store ${store}`;
}

function settingProblem(node: PlanNode): Problem | undefined {
  if (node.kind === 'branch') {
    if (node.arms.length === 0) return shape('has no arms; name at least one');
    if (new Set(node.arms.map((arm) => arm.name)).size < node.arms.length) return shape('has two arms of one name');
  }
  if (node.kind === 'deduplicate' || node.kind === 'difference') {
    const { withinMs } = node;
    if (withinMs !== null && !(Number.isSafeInteger(withinMs) && withinMs > 0)) {
      return shape(`looks back within ${withinMs} ms; say a whole number above 0`);
    }
  }
  if (node.kind === 'aggregate' || node.kind === 'aggregateTable') {
    const add = node.how === 'reduce' || node.how === 'aggregate';
    const initial = node.how === 'aggregate' || node.how === 'cogroup';
    if ((node.add !== null) !== add) return shape(`is a ${node.how}, which ${add ? 'needs' : 'has no'} add`);
    if ((node.initial !== null) !== initial)
      return shape(`is a ${node.how}, which ${initial ? 'needs' : 'has no'} initial`);
    if (node.kind === 'aggregateTable' && (node.subtract !== null) !== add)
      return shape(`is a ${node.how}, which ${add ? 'needs' : 'has no'} subtract`);
  }
  if (node.kind === 'joinStreams' && (node.pendingStore === null) !== (node.how === 'inner')) {
    const pending = node.how === 'inner' ? 'has no store for pending records' : 'needs a store for pending records';
    return shape(`is a join of kind ${node.how}, which ${pending}`);
  }
  if (node.kind === 'aggregate') {
    if (node.window === null && node.merge !== null) return shape('has a merge, and no windows that do; leave it out');
    if (node.window === null && node.emit === 'close') return shape('waits for windows to close, and has none');
    const kept = node.window === null ? 'panes' : windowFacts(node.window).kept;
    if ((node.beside === null) !== (kept === 'panes')) {
      return shape(kept === 'panes' ? 'needs no store beside its own' : 'needs a store beside its own');
    }
  }
  return undefined;
}
