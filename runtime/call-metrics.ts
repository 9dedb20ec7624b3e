import type { CallResults } from '../operators/operators.ts';
import type { MetricSet } from './metrics.ts';

/** The figures of the calls of one task, a row a node. */
export class CallMetrics {
  readonly #metrics: MetricSet;
  readonly #ends: (() => void)[] = [];

  /** `metrics` carries the labels of the task. */
  constructor(metrics: MetricSet) {
    this.#metrics = metrics;
  }

  of(results: CallResults): { ended(outcome: string, ms: number): void } {
    const { node } = results;
    this.#ends.push(this.#metrics.observe('nodeflow_calls_in_flight', { node }, () => results.inFlight));
    const duration = this.#metrics.histogram('nodeflow_call_duration_seconds', { node });
    return {
      ended: (outcome, ms) => {
        this.#metrics.counter('nodeflow_calls_total', { node, outcome }).value++;
        duration.observe(ms / 1000);
      },
    };
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
