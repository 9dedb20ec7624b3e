import type { Millis } from '../core/ids.ts';
import type { PlanNode, WindowSpec } from './plan.ts';

/**
 * How long after its end a window of a table may still change: as its windowed aggregate says, the longest where the
 * table comes from several. `undefined` where there are none, or where their windows close by other than their end.
 */
export function closesAfterEnd(id: string, nodes: ReadonlyMap<string, PlanNode>): Millis | undefined {
  const spans = windowsBehind(id, nodes).map(afterEnd);
  if (spans.length === 0 || spans.includes(undefined)) return undefined;
  return Math.max(...spans.map((span) => span ?? 0));
}

/** The windows of the aggregates that a table comes from. */
export function windowsBehind(id: string, nodes: ReadonlyMap<string, PlanNode>): readonly WindowSpec[] {
  const seen = new Set<string>();
  const open = [id];
  const found: WindowSpec[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const node = nodes.get(at);
    if (node === undefined || seen.has(at)) continue;
    seen.add(at);
    if (node.kind === 'aggregate' && node.window !== null) found.push(node.window);
    else open.push(...node.inputs);
  }
  return found;
}

function afterEnd(window: WindowSpec): Millis | undefined {
  switch (window.type) {
    case 'session':
      // A gap that is told of each record is part of the session.
      return typeof window.gapMs === 'string' ? window.graceMs : window.gapMs + window.graceMs;
    case 'unlimited':
      return 0;
    case 'count':
      return undefined;
    case 'custom':
      return window.close === null ? window.graceMs : undefined;
    default:
      return window.graceMs;
  }
}
