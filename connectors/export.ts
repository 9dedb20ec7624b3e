import type { Clock } from '../core/clock.ts';
import type { Json, Millis, Position } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import type { Topic } from '../topology/topology.ts';

/**
 * The way out of the log: the committed records of a topic, brought to another system.
 *
 * An export is no operator: whoever writes results writes them to a topic, in the transaction of everything else, and an
 * export reads that topic as any reader does. So a system that is slow or away holds back its export alone, and what it
 * gets was decided before. How often a record arrives hangs on what the target can do:
 *
 * - `exactly-once`: it keeps how far it has come together with the rows (`postgresTable`, `jsonLinesFile`), so that a
 *   batch is there whole or not at all, and whoever goes on after a crash asks it.
 * - `at-least-once`: it cannot (`httpEndpoint`); a batch may come twice, under the same key, by which it can be told.
 *
 * Records of a partition arrive in their order.
 */
export interface ExportTarget {
  /** What it is, for people; holds no secrets. */
  readonly description: Json;
  readonly guarantee: 'exactly-once' | 'at-least-once';
  open(source: ExportSource): Promise<ExportWriter>;
}

export interface ExportSource {
  /** Names the export at the target: two exports under one name are one. */
  readonly name: string;
  readonly topic: string;
  readonly partitions: number;
}

export interface ExportWriter {
  /** Where to go on, by partition. */
  readonly positions: readonly Position[];
  /** Takes rows, and the places behind them. When it resolves they are there for good. */
  write(rows: readonly ExportRow[], next: readonly Position[]): Promise<void>;
  /** Nothing more will come: what was provisional becomes final. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

export interface ExportRow {
  readonly partition: number;
  readonly position: Position;
  readonly timestamp: Millis;
  readonly key: Json;
  readonly value: Json;
}

export interface ExportOptions<K, V> {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: Topic<K, V, number>;
  readonly target: ExportTarget;
  /** Default: the topic's name. */
  readonly name?: string;
  /** Ends where the topic ended when it began, and finishes the target; else it goes on until it is stopped. */
  readonly until?: 'end';
  readonly stop?: AbortSignal;
  /** Records that have arrived since it began. */
  onProgress?(records: number): void;
  /** A write failed and is made again after a pause; the rest waits meanwhile. */
  onRetry?(failure: string, pauseMs: Millis): void;
}

export interface Exported {
  readonly records: number;
  readonly how: 'complete' | 'stopped';
}

export { httpEndpoint, type SendRequest } from './exports/http.ts';
export { jsonLinesFile } from './exports/json-lines.ts';
export { postgresTable } from './exports/postgres.ts';
export { runExport } from './exports/run-export.ts';
