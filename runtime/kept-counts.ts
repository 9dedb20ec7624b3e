import type { KeptNumbers } from '../checkpoints/checkpoints.ts';
import type { Step } from '../core/step.ts';
import type { Counter } from '../telemetry/telemetry.ts';
import type { PlanNode } from '../topology/plan.ts';
import { COUNTED_DROPS, type CountedMetric } from './drops.ts';
import type { Input } from './inputs.ts';
import type { MetricSet } from './metrics.ts';
import type { NodeCount } from './node-counts.ts';

/** What a count is called among the numbers of a task's progress; they go where their node goes. */
export function countName(node: string, what: string): string {
  return `${node}/counted/${what}`;
}

/** The node and the kind of a count, and what more it is of: another node, a reason; `undefined` of other numbers. */
export function countOf(
  name: string,
): { readonly node: string; readonly kind: string; readonly of: string } | undefined {
  const at = name.indexOf('/counted/');
  if (at < 0) return undefined;
  const [kind = '', ...rest] = name.slice(at + '/counted/'.length).split('/');
  return { node: name.slice(0, at), kind, of: rest.join('/') };
}

/** What went into a node, by what is kept of it: what it took from outside, or what came along each of its edges. */
export function keptOf(
  { id, inputs }: Pick<PlanNode, 'id' | 'inputs'>,
  kept: (name: string) => number | undefined,
): { readonly all: number; readonly from: ReadonlyMap<string, number> } {
  const from = new Map(inputs.map((each) => [each, kept(countName(id, `from/${each}`)) ?? 0]));
  const taken = kept(countName(id, 'taken'));
  return { all: taken ?? [...from.values()].reduce((sum, count) => sum + count, 0), from };
}

interface Entry {
  readonly name: string;
  readonly live: () => number;
  /** As its number says. */
  saved: number;
  /** Of epochs that are committed. */
  committed: number;
}

export interface KeptCountsParts {
  readonly numbers: KeptNumbers;
  readonly step: Step;
  /** With the labels of the task. */
  readonly metrics: MetricSet;
}

/**
 * What a task has counted since its state was empty: its counts are numbers of its progress, written at each cut where
 * they have changed, and so are those of epochs that are committed, wherever the task is opened. Metrics tell these, and
 * never what may yet be done again.
 */
export class KeptCounts {
  readonly #parts: KeptCountsParts;
  readonly #entries = new Map<string, Entry>();
  readonly #shown: { readonly counter: Counter; read(): number }[] = [];

  constructor(parts: KeptCountsParts) {
    this.#parts = parts;
    for (const name of parts.numbers.restored()) {
      const { node, kind, of } = countOf(name) ?? {};
      const metric = COUNTED_DROPS[kind ?? ''];
      if (metric !== undefined) this.counter(metric, { node: node!, reason: of! });
    }
  }

  /** A counter of the records that a node has dropped for a reason. */
  counter(metric: CountedMetric, { node, reason }: { readonly node: string; readonly reason: string }): Counter {
    const kind = Object.keys(COUNTED_DROPS).find((each) => COUNTED_DROPS[each] === metric)!;
    const name = countName(node, `${kind}/${reason}`);
    const counter = { value: 0 };
    this.#add(name, () => counter.value);
    const read = () => this.#entries.get(name)!.committed;
    this.#show(this.#parts.metrics.counter(metric, { node, reason }), read);
    return counter;
  }

  /** Goes on with what was counted of these nodes, along each edge, and at these inputs. */
  follow(nodes: readonly PlanNode[], counts: readonly NodeCount[], inputs: readonly Input[]): void {
    for (const node of nodes) {
      const taken = () => takenFrom(inputs, node.id);
      if (taken() !== undefined) this.#add(countName(node.id, 'taken'), () => taken()!);
      const reads = counts.find((each) => each.node === node.id)?.inputs ?? [];
      for (const from of new Set(node.inputs)) {
        const own = reads.filter((each) => each.from === from);
        this.#add(countName(node.id, `from/${from}`), () => own.reduce((sum, { read }) => sum + read(), 0));
      }
      this.#showNode(node);
    }
  }

  /** The epoch ends here. */
  cut(): void {
    const { numbers, step } = this.#parts;
    step.begin();
    for (const entry of this.#entries.values()) {
      const value = entry.live();
      if (value === entry.saved) continue;
      entry.saved = value;
      numbers.number(entry.name, 0).set(value);
    }
    step.settle();
  }

  /** The epoch that was cut last is committed. */
  committed(): void {
    for (const entry of this.#entries.values()) entry.committed = entry.saved;
    for (const { counter, read } of this.#shown) counter.value = read();
  }

  /** `count` is of what was done since it is open. */
  #add(name: string, count: () => number): void {
    const before = this.#parts.numbers.value(name) ?? 0;
    this.#entries.set(name, { name, live: () => before + count(), saved: before, committed: before });
  }

  #showNode(node: PlanNode): void {
    const { metrics } = this.#parts;
    const of = () => keptOf(node, (name) => this.#entries.get(name)?.committed);
    this.#show(metrics.counter('nodeflow_node_records_total', { node: node.id }), () => of().all);
    for (const from of node.inputs.length < 2 ? [] : of().from.keys()) {
      const counter = metrics.counter('nodeflow_input_records_total', { node: node.id, input: from });
      this.#show(counter, () => of().from.get(from)!);
    }
  }

  #show(counter: Counter, read: () => number): void {
    counter.value = read();
    this.#shown.push({ counter, read });
  }
}

/** Records that came in at an entry node, opened or not; `undefined` for other nodes. */
export function takenFrom(inputs: readonly Input[], node: string): number | undefined {
  const own = inputs.filter((input) => input.node === node);
  return own.length === 0 ? undefined : own.reduce((sum, { taken, passed }) => sum + taken + passed, 0);
}
