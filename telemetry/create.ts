import { expositionOf } from './exposition.ts';
import { createLogger, type LineSink, type LogLevel, plainLines } from './logger.ts';
import { Metrics } from './metrics.ts';
import { observeProcess } from './process.ts';
import type { Telemetry } from './telemetry.ts';

export interface TelemetryOptions {
  /** Lines below this level are not written. Default `info`. */
  readonly level?: LogLevel;
  /** Fields of every line, for instance the application. */
  readonly fields?: object;
  /** `plain` for a person at a terminal, else JSON lines. Default: plain where standard error is a terminal. */
  readonly form?: 'plain' | 'json';
  /** Where lines go. Default: standard error. */
  readonly sink?: LineSink;
  /** Figures of the process (CPU time, memory) among the metrics. Default true; false in worker threads. */
  readonly process?: boolean;
  /** Keep metrics. Default true; without them the log is all there is. */
  readonly metrics?: boolean;
}

/** A telemetry with no metrics yet, writing its log to standard error. */
export function createTelemetry(options: TelemetryOptions = {}): Telemetry {
  const sink = options.sink ?? { write: (line: string) => void process.stderr.write(line) };
  const plain = (options.form ?? (process.stderr.isTTY ? 'plain' : 'json')) === 'plain';
  const log = createLogger(options.level ?? 'info', options.fields ?? {}, plain ? plainLines(sink) : sink);
  const metrics = new Metrics();
  const measures = options.metrics ?? true;
  const telemetry: Telemetry = {
    log,
    measures,
    counter: (name, help, labels) => metrics.counter(name, help, labels),
    gauge: (name, help, labels) => metrics.gauge(name, help, labels),
    histogram: (name, help, bounds, labels) => metrics.histogram(name, help, bounds, labels),
    observe: (name, help, labels, read) => (measures ? metrics.observe(name, help, labels, read) : () => undefined),
    exposition: () => expositionOf(telemetry.snapshot()),
    snapshot: () => (measures ? metrics.snapshot() : []),
    absorb: (origin, rows) => metrics.absorb(origin, rows),
  };
  if (options.process ?? true) observeProcess(telemetry);
  return telemetry;
}

/** Keeps metrics and writes no log: for tests and the test driver. */
export function silentTelemetry(): Telemetry {
  return createTelemetry({ level: 'silent', form: 'json', sink: { write() {} }, process: false });
}
