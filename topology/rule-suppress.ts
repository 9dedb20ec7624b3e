import { fault, type PlanFault } from './faults.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';
import { lookedInto, rowsBehind, suppressedBehind } from './table-rows.ts';
import { closesAfterEnd, windowsBehind } from './window-close.ts';

/** Buffers of suppression have a store, rows without history, and something to wait for; bounds are numbers that can be kept to. */
export function suppressFaults(plan: Plan): readonly PlanFault[] {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const versioned = new Set(plan.stores.filter(({ kind }) => kind === 'versioned').map(({ name }) => name));
  const found: PlanFault[] = [];
  for (const node of plan.nodes) {
    for (const table of lookedInto(node)) {
      const held = suppressedBehind(table, (id) => nodes.get(id)).find(({ kind }) => kind === 'suppress');
      if (held === undefined) continue;
      const cure =
        'give it a buffer to look into: suppress({ untilWindowCloses: true, store }), or keep what comes out with toStream().toTable(...) and join that';
      const message = `${node.id} looks rows up in ${table}, and ${held.id} keeps none; ${cure}`;
      found.push(fault('suppress', node.id, message));
    }
    if (node.kind !== 'suppressBuffer') continue;
    const wrong =
      storeProblem(node) ?? historyProblem(node, nodes, versioned) ?? waitProblem(node, nodes) ?? boundProblem(node);
    if (wrong !== undefined) found.push(fault('suppress', node.id, `${node.id} ${wrong}`));
  }
  return found;
}

type Buffer = NodeOf<'suppressBuffer'>;

function storeProblem({ store }: Buffer): string | undefined {
  return store === '' ? 'holds updates back, and needs a store for them: name it with store' : undefined;
}

function historyProblem(
  { inputs }: Buffer,
  nodes: ReadonlyMap<string, PlanNode>,
  versioned: ReadonlySet<string>,
): string | undefined {
  const store = rowsBehind(inputs[0] ?? '', (id) => nodes.get(id));
  if (store === null || !versioned.has(store)) return undefined;
  return `holds back updates of ${store}, which has a history, and would not know the newest from one that comes late; give the table before it no history, or a store of its own without one`;
}

function waitProblem(node: Buffer, nodes: ReadonlyMap<string, PlanNode>): string | undefined {
  const { waitMs } = node;
  const input = node.inputs[0] ?? '';
  if (node.until === 'timeLimit') {
    if (Number.isSafeInteger(waitMs) && waitMs >= 0) return undefined;
    return `waits for ${waitMs} ms; say a whole number of at least 0`;
  }
  const closesAfter = closesAfterEnd(input, nodes);
  if (closesAfter === undefined) {
    const [other] = windowsBehind(input, nodes);
    if (other !== undefined) {
      return `waits for ${other.type} windows, which close by other than their end; call suppress() directly on their aggregate, or emitOnClose() before it`;
    }
    return 'has no windows to wait for: it must come from a windowed count, reduce or aggregate; use untilTimeLimit, or window the stream';
  }
  if (waitMs !== closesAfter) {
    return `waits ${waitMs} ms behind the end of a window, and windows before it close after ${closesAfter} ms; build the plan anew`;
  }
  if (node.whenFull !== 'fail') {
    return 'cannot let windows out before they close; give it no bounds, or whenFull: fail';
  }
  return undefined;
}

function boundProblem(node: Buffer): string | undefined {
  for (const bound of ['maxRecords', 'maxBytes'] as const) {
    const most = node[bound];
    if (most !== null && !(Number.isSafeInteger(most) && most > 0)) {
      return `has ${bound} ${most}; say a whole number above 0, or leave it out`;
    }
  }
  return undefined;
}
