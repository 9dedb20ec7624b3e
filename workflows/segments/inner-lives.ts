import type { MetricRow } from '../../telemetry/telemetry.ts';
import type { Graph } from '../graph.ts';
import type { NodeFigures, SegmentProgram } from './segments.ts';

/** Which inner nodes have passed their end: those of which every stage that they are in has ended. */
export class InnerLives {
  readonly #stages = new Map<string, readonly string[]>();
  readonly #partitions = new Map<string, number>();
  readonly #completed = new Set<string>();
  readonly #ids: readonly string[];

  constructor(graph: Graph, numbers: readonly number[], { program: { plan }, owners }: SegmentProgram) {
    this.#ids = numbers.map((number) => graph.nodes[number]!.id);
    for (const { id, partitions } of plan.stages) this.#partitions.set(id, partitions);
    for (const id of this.#ids) {
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
    for (const id of this.#ids) this.#completed.add(id);
  }

  /** Answers whether a node has ended since. */
  see(ledger: { ended(task: string): unknown }, rows: readonly MetricRow[]): boolean {
    const tasks = new Set(rows.flatMap(({ labels }) => labels['task'] ?? []));
    const hasEnded = (stage: string) => {
      const known = [...tasks].filter((task) => task.slice(0, task.lastIndexOf('_')) === stage);
      const due = Math.max(this.#partitions.get(stage) ?? 1, known.length);
      const all = new Set([...known, ...Array.from({ length: due }, (_, i) => `${stage}_${i}`)]);
      return [...all].every((task) => ledger.ended(task) !== undefined);
    };
    const before = this.#completed.size;
    for (const [id, stages] of this.#stages) if (stages.every(hasEnded)) this.#completed.add(id);
    return this.#completed.size > before;
  }
}
