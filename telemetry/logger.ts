import { type Logger as Pino, pino } from 'pino';
import { redact, redactText } from './redact.ts';
import type { Logger } from './telemetry.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where lines go: standard error, or what a test brings. */
export interface LineSink {
  write(line: string): void;
}

/** JSON lines, each with its time as ISO text, its level by name, and the fields of its log. */
export function createLogger(level: LogLevel, fields: object, sink: LineSink): Logger {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return wrap(root.child(redact(fields) as Record<string, unknown>));
}

function wrap(inner: Pino): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (inner.isLevelEnabled(level)) inner[level](redact(fields), redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => wrap(inner.child(redact(fields) as Record<string, unknown>)),
  };
}

/** Turns JSON lines into short plain ones for a person at a terminal: time, level, message, fields. */
export function plainLines(sink: LineSink): LineSink {
  return {
    write(line) {
      const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plainValue(value)}`);
      sink.write(`${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(message ?? '')}${rest.join('')}\n`);
    },
  };
}

function plainValue(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}
