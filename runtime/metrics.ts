import type { Counter, Histogram, Labels, Telemetry } from '../telemetry/telemetry.ts';
import { METRICS, type MetricName, type MetricSpec } from './metric-table.ts';

/** Makes the metrics of {@link METRICS}, each with its help text and with the labels that all of them share. */
export class MetricSet {
  readonly #telemetry: Telemetry;
  readonly #shared: Labels;

  constructor(telemetry: Telemetry, shared: Labels) {
    this.#telemetry = telemetry;
    this.#shared = shared;
  }

  /** The same with more labels. */
  with(labels: Labels): MetricSet {
    return new MetricSet(this.#telemetry, { ...this.#shared, ...labels });
  }

  counter(name: MetricName, labels: Labels = {}): Counter {
    return this.#telemetry.counter(name, METRICS[name].help, { ...this.#shared, ...labels });
  }

  histogram(name: MetricName, labels: Labels = {}): Histogram {
    const { help, bounds = [] }: MetricSpec = METRICS[name];
    return this.#telemetry.histogram(name, help, bounds, { ...this.#shared, ...labels });
  }

  /** A figure read when asked for. Answers what takes it away again. */
  observe(name: MetricName, labels: Labels, read: () => number): () => void {
    return this.#telemetry.observe(name, METRICS[name].help, { ...this.#shared, ...labels }, read);
  }
}
