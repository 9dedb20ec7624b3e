import { assert } from '../core/assert.ts';
import { FixedHistogram } from './histogram.ts';
import type { Counter, Gauge, Histogram, Labels, MetricRow } from './telemetry.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricRow['type'];
  readonly labels: Labels;
  readonly kept: { value: number } | FixedHistogram | { readonly read: () => number };
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The metrics of one thread, and the rows that other threads sent. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #absorbed = new Map<string, readonly MetricRow[]>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    assert(name.endsWith('_total'), () => `the counter ${name} must end in _total`);
    return this.#make(name, help, 'counter', labels, () => ({ value: 0 })).kept as Counter;
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.#make(name, help, 'gauge', labels, () => ({ value: 0 })).kept as Gauge;
  }

  histogram(name: string, help: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    return this.#make(name, help, 'histogram', labels, () => new FixedHistogram(bounds)).kept as FixedHistogram;
  }

  /** A later call for the same name and labels replaces the reader. */
  observe(name: string, help: string, labels: Labels, read: () => number): () => void {
    const id = identity(name, labels);
    this.#metrics.delete(id);
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    const metric = this.#make(name, help, type, labels, () => ({ read }));
    return () => {
      if (this.#metrics.get(id) === metric) this.#metrics.delete(id);
    };
  }

  absorb(origin: string, rows: readonly MetricRow[]): void {
    this.#absorbed.set(origin, rows);
  }

  /** All rows, own and absorbed, sorted by name; one a name and label set. */
  snapshot(): readonly MetricRow[] {
    const rows = new Map<string, MetricRow>();
    for (const [id, metric] of this.#metrics) rows.set(id, rowOf(metric));
    for (const [origin, absorbed] of this.#absorbed) {
      for (const row of absorbed) {
        const labels = row.type === 'gauge' ? { ...row.labels, worker: origin } : row.labels;
        const id = identity(row.name, labels);
        const before = rows.get(id);
        rows.set(id, before === undefined ? { ...row, labels } : added(before, row));
      }
    }
    return [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #make(name: string, help: string, type: MetricRow['type'], labels: Labels, kept: () => Metric['kept']): Metric {
    assert(NAME.test(name), () => `${name} is not a metric name`);
    for (const label of Object.keys(labels)) {
      assert(NAME.test(label) && label !== 'le', () => `${label} is not a label name`);
    }
    const id = identity(name, labels);
    const known = this.#metrics.get(id);
    if (known !== undefined) {
      assert(known.type === type, () => `${name} is a ${known.type} already`);
      return known;
    }
    const metric: Metric = { name, help, type, labels: { ...labels }, kept: kept() };
    this.#metrics.set(id, metric);
    return metric;
  }
}

function identity(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, ...pairs]);
}

function rowOf({ name, help, type, labels, kept }: Metric): MetricRow {
  if (kept instanceof FixedHistogram) return { name, help, type, labels, values: kept.values(), bounds: kept.bounds };
  return { name, help, type, labels, values: ['read' in kept ? kept.read() : kept.value] };
}

function added(a: MetricRow, b: MetricRow): MetricRow {
  if (a.values.length !== b.values.length) return b;
  return { ...a, values: a.values.map((value, i) => value + b.values[i]!) };
}
