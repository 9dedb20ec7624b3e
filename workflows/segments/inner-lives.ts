import type { MetricRow } from '../../telemetry/telemetry.ts';
import type { Graph } from '../graph.ts';
import type { NodeFigures, SegmentProgram } from './segments.ts';

/**
 * Which inner nodes have passed their end: those of which every stage that they are in has ended. What is collected or
 * brought elsewhere has only when that is done, which is when all are.
 */
export class InnerLives {
  readonly #plan: SegmentProgram['program']['plan'];
  /** By id of a node: the stages that it is in. */
  readonly #stages = new Map<string, readonly string[]>();
  readonly #completed = new Set<string>();

  readonly #last: ReadonlySet<string>;

  constructor(graph: Graph, numbers: readonly number[], made: SegmentProgram) {
    const { owners, collects, exports } = made;
    const { plan } = made.program;
    this.#plan = plan;
    this.#last = new Set([...collects, ...exports].map(({ node }) => node));
    for (const number of numbers) {
      const { id } = graph.nodes[number]!;
      const stages = plan.stages.filter(({ nodes }) => nodes.some((node) => owners.get(node) === id));
      // windows are in no stage by themselves: they end with the aggregate behind them
      this.#stages.set(
        id,
        (stages.length > 0 ? stages : plan.stages).map((stage) => stage.id),
      );
    }
  }

  status(id: string): NodeFigures['status'] {
    return this.#completed.has(id) ? 'COMPLETED' : 'RUNNING';
  }

  endAll(): void {
    for (const id of this.#stages.keys()) this.#completed.add(id);
  }

  /** Answers whether a node has ended since. */
  see(ledger: { ended(task: string): unknown }, rows: readonly MetricRow[]): boolean {
    const tasks = [...new Set(rows.flatMap(({ labels }) => labels['task'] ?? []))];
    const ended = new Set<string>();
    for (const { id, partitions } of this.#plan.stages) {
      const known = tasks.filter((task) => task.slice(0, task.lastIndexOf('_')) === id);
      const due = Array.from({ length: Math.max(partitions, known.length) }, (_, i) => `${id}_${i}`);
      if ([...known, ...due].every((task) => ledger.ended(task) !== undefined)) ended.add(id);
    }
    const before = this.#completed.size;
    for (const [id, stages] of this.#stages) {
      if (!this.#last.has(id) && stages.every((stage) => ended.has(stage))) this.#completed.add(id);
    }
    return this.#completed.size > before;
  }
}
