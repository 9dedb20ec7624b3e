import { FlowError } from '../../core/errors.ts';
import type { Graph } from '../graph.ts';
import type { Counted } from './segment-figures.ts';
import type { SegmentProgram } from './segments.ts';

/** Types of which one record makes one, but for those that are dropped. */
const ONE_TO_ONE = /^(source\.|map\.items$|op\.map$|op\.filter$|op\.select-key$|op\.workflow$)/;

/**
 * What left each node is what came in, but for what it is known to have passed over; what a topic was given is what came
 * out of it. `read`: records that were found in topics of the run, by node. Throws where there is a difference.
 */
export function checkBalance(
  graph: Graph,
  numbers: readonly number[],
  { program, owners }: SegmentProgram,
  counted: Counted,
  read: ReadonlyMap<string, number>,
): void {
  const tell = (node: string, left: number, arrived: number, what: string) => {
    throw new FlowError(
      'workflow.records-lost',
      `node ${node}: ${left} records ${what}, and ${arrived} came of them; the segment's results are not whole`,
    );
  };
  const asTable = new Set(
    program.plan.nodes.flatMap(({ id, kind }) => (kind === 'table' ? [owners.get(id)] : [])).filter(Boolean),
  );
  // a record on which a node fails may be counted for those behind it
  const failed = Object.values(counted.nodes).reduce((sum, { deadLetters }) => sum + deadLetters, 0);
  for (const number of numbers) {
    const { id, type, outgoing } = graph.nodes[number]!;
    const figures = counted.nodes[id]!;
    const found = read.get(id);
    const isWhole = found === undefined || (found <= figures.in && found >= figures.in - failed);
    if (!isWhole) tell(id, figures.in, found, 'were written');
    if (figures.filtered < -failed) tell(id, figures.in, figures.out, 'came in');
    if (!ONE_TO_ONE.test(type.name)) continue;
    const over = Object.values(figures.dropped).reduce((sum, count) => sum + count, 0);
    const due = figures.in - figures.filtered - over;
    for (const edge of outgoing.map((each) => graph.edges[each]!)) {
      const went = counted.edges[edge.id];
      if (went === undefined || asTable.has(graph.nodes[edge.target]!.id)) continue;
      if (went < due || went > due + failed) tell(id, due, went, 'left');
    }
  }
  for (const topic of program.plan.topics) {
    const writers = program.plan.nodes.filter((node) => node.kind === 'to' && node.topic === topic.name);
    const readers = program.plan.nodes.filter((node) => node.kind === 'source' && node.topic === topic.name);
    if (writers.length === 0 || topic.internal) continue;
    const written = writers.reduce((sum, { id }) => sum + (counted.nodes[owners.get(id)!]?.in ?? 0), 0);
    for (const reader of readers) {
      const taken = counted.nodes[owners.get(reader.id)!]?.in ?? 0;
      if (taken < written - failed) tell(owners.get(reader.id)!, written, taken, `were written to ${topic.name}`);
    }
  }
}
