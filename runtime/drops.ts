import type { Settling, Step } from '../core/step.ts';
import type { DropReason } from '../operators/operators.ts';
import type { Counter } from '../telemetry/telemetry.ts';

/** Counts of records that went no further, per node and reason; a step that is undone counts nothing. */
class DropCounter implements Settling {
  readonly #counter: Counter;
  readonly #step: Step;
  #touchedIn = -1;
  #pending = 0;

  constructor(counter: Counter, step: Step) {
    this.#counter = counter;
    this.#step = step;
  }

  add(times: number): void {
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#pending = 0;
      this.#step.touchSettling(this);
    }
    this.#pending += times;
  }

  rollback(): void {
    this.#pending = 0;
  }

  settle(): void {
    this.#counter.value += this.#pending;
  }
}

export type CountedMetric =
  | 'nodeflow_dropped_records_total'
  | 'nodeflow_dead_letters_total'
  | 'nodeflow_clamped_times_total';

/** By what they are called where they are kept; see `kept-counts.ts`. */
export const COUNTED_DROPS: { readonly [kind: string]: CountedMetric } = {
  dropped: 'nodeflow_dropped_records_total',
  'dead-letters': 'nodeflow_dead_letters_total',
  clamped: 'nodeflow_clamped_times_total',
};

/** Makes the counter of a node and a reason, with the labels of the task. */
interface DropMetrics {
  counter(metric: CountedMetric, labels: { readonly node: string; readonly reason: string }): Counter;
}

export class Drops {
  readonly #metrics: DropMetrics;
  readonly #step: Step;
  readonly #counters = {
    nodeflow_dropped_records_total: new Map<string, DropCounter>(),
    nodeflow_dead_letters_total: new Map<string, DropCounter>(),
    nodeflow_clamped_times_total: new Map<string, DropCounter>(),
  };

  constructor(metrics: DropMetrics, step: Step) {
    this.#metrics = metrics;
    this.#step = step;
  }

  add(node: string, reason: DropReason, times = 1): void {
    this.#count('nodeflow_dropped_records_total', node, reason, times);
  }

  /** A record that went to the dead-letter topic; it counts among the drops as well. */
  deadLetter(node: string, reason: DropReason): void {
    this.add(node, reason);
    this.#count('nodeflow_dead_letters_total', node, reason);
  }

  /** A record whose time was changed, since it was absurd. */
  clamped(node: string): void {
    this.#count('nodeflow_clamped_times_total', node, 'absurd-time');
  }

  #count(metric: CountedMetric, node: string, reason: string, times = 1): void {
    const name = `${node} ${reason}`;
    const counters = this.#counters[metric];
    let counter = counters.get(name);
    if (counter === undefined) {
      counter = new DropCounter(this.#metrics.counter(metric, { node, reason }), this.#step);
      counters.set(name, counter);
    }
    counter.add(times);
  }
}
