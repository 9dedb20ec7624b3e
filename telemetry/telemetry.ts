/**
 * Measure and tell. Metrics are plain numbers in arrays that their owner increments: a counter on the record
 * path costs an addition. They are read, never pushed: `exposition` prints them as Prometheus text.
 *
 * Names follow Prometheus (`nodeflow_records_total`, units last, counters end in `_total`); labels are fixed when
 * the metric is made. Logs are pino's JSON lines, with application, task and node where known. Secrets: any value
 * under a key that names one (password, secret, token, key material, authorization) is replaced before it is written,
 * and so is every value told to `registerSecret`, wherever it turns up. Whoever writes text or JSON for people by
 * another way (errors, `--json`, dead letters) passes it through `redact` or `redactText` first.
 *
 * Asking for a metric again with the same name and labels gives the same one. Counters and histograms that several
 * worker threads report are added up; their gauges are told apart by the label `worker`.
 */
export interface Telemetry {
  readonly log: Logger;
  /** False where nobody wants metrics: what is made here counts for nothing, and the record path need not count. */
  readonly measures: boolean;
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels): Gauge;
  histogram(name: string, help: string, bounds: readonly number[], labels?: Labels): Histogram;
  /**
   * A gauge read when asked for, for figures that somebody keeps anyway; a counter where its name ends in `_total`.
   * Answers what takes it away again.
   */
  observe(name: string, help: string, labels: Labels, read: () => number): () => void;
  /** All metrics as Prometheus text (format 0.0.4). */
  exposition(): string;
  /** All metrics as plain rows, to merge those of worker threads. */
  snapshot(): readonly MetricRow[];
  /** Rows of another process part (a worker thread), replacing earlier ones of the same `origin`. */
  absorb(origin: string, rows: readonly MetricRow[]): void;
}

export type Labels = { readonly [name: string]: string };

/** Add to `value` directly on hot paths. */
export interface Counter {
  value: number;
}

export interface Gauge {
  value: number;
}

export interface Histogram {
  observe(value: number): void;
}

export interface MetricRow {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: Labels;
  /** One number, or for histograms `[count, sum, ...cumulative buckets]` with their bounds. */
  readonly values: readonly number[];
  readonly bounds?: readonly number[];
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with more fields on every line. */
  with(fields: object): Logger;
}

export { createTelemetry, silentTelemetry, type TelemetryOptions } from './create.ts';
export type { LogLevel } from './logger.ts';
export { forgetSecrets, redact, redactText, registeredSecrets, registerSecret, registerSecretsOf } from './redact.ts';
export { type ServeOptions, serveTelemetry, type TelemetryServer } from './serve.ts';
