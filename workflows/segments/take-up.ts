import { diffPlans } from '../../topology/topology.ts';
import type { Graph } from '../graph.ts';
import type { SegmentConfig } from './collapse.ts';
import type { Segment, SegmentProgram, SegmentRun } from './segments.ts';

/**
 * Why the segment that a node stands for in one graph cannot be taken up by the one that it stands for in another, with
 * what helps; null where it can. What has its state, and the records on their way, under the same names goes on with
 * them, as `diffPlans` tells; nothing may be left of records that are on their way.
 */
export function unfitSegment(
  id: string,
  { from, to }: { readonly from: Graph; readonly to: Graph },
  run: Pick<SegmentRun, 'name' | 'input' | 'values'>,
): string | null {
  const [before, after] = [segmentAt(from, id), segmentAt(to, id)];
  const { version } = to.document;
  if (before === undefined) return `${id} stands for no segment`;
  if (after === undefined) {
    return `${id} stands for a segment that has begun, and for none in version ${version}: keep it the first source there`;
  }
  let next: SegmentProgram;
  try {
    next = after.program({ ...run, graph: to.records!.graph });
  } catch (thrown) {
    return `the segment of ${id} in version ${version}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
  const former = before.program({ ...run, graph: from.records!.graph });
  const { faults, topics } = diffPlans(former.program.plan, next.program.plan);
  const told = faults.map(({ what, why, cure }) => `${what}: ${why}; ${cure}`);
  for (const { topic, how } of topics) {
    if (how === 'removed') told.push(`topic ${topic}: records on their way in it would be lost; keep what writes it`);
  }
  for (const { node } of former.exports) {
    if (next.exports.some((each) => each.node === node)) continue;
    told.push(`node ${node}: records that it has not brought out would be lost; keep it`);
  }
  return told.length === 0 ? null : `the segment of ${id} in version ${version}: ${told.join('; ')}`;
}

function segmentAt(graph: Graph, id: string): Segment | undefined {
  const number = graph.number(id);
  const node = number === undefined ? undefined : graph.nodes[number];
  if (node === undefined || node.removed || node.type.behaviour.kind !== 'operator') return undefined;
  const { segment } = node.template.fill({ input: null }) as unknown as SegmentConfig;
  return graph.records?.segments[segment];
}
