import type { Json } from '../../core/ids.ts';
import type { Serde } from '../../schemas/schemas.ts';
import type { Topic } from '../../topology/topology.ts';
import type { RecordStart } from './segments.ts';

/**
 * What flows between nodes of the data plane while their segment is made into a program: handles of the DSL. Documents
 * know their formats when they are compiled and not before, so that the types of the DSL are of no use here; what they
 * would have told `build()` of the program tells.
 */

/** A function of records, as the DSL takes it. */
export type RecordFunction = (...args: never[]) => unknown;

interface Place {
  readonly id: string;
  readonly partitions: number | 'stale';
}

export interface Records extends Place {
  filter(keep: RecordFunction): Records;
  mapValues(fn: RecordFunction): Records;
  selectKey(fn: RecordFunction): Records;
  merge(other: Records): Records;
  mapAsync(options: Options): Records;
  repartition(options: Options): Records;
  groupByKey(): Grouped;
  toTable(options: Options): Rows;
  joinTable(table: Rows, options: Options): Records;
  leftJoinTable(table: Rows, options: Options): Records;
  joinStream(other: Records, options: Options): Records;
  leftJoinStream(other: Records, options: Options): Records;
  outerJoinStream(other: Records, options: Options): Records;
  to(topic: AnyTopic): void;
}

export interface Rows extends Place {
  toStream(): Records;
  filter(keep: RecordFunction): Rows;
  mapValues(fn: RecordFunction): Rows;
  joinTable(other: Rows, options: Options): Rows;
  leftJoinTable(other: Rows, options: Options): Rows;
  outerJoinTable(other: Rows, options: Options): Rows;
}

export type Ready = 'count' | 'sum' | 'min' | 'max' | 'mean' | 'distinctCount' | 'quantiles' | 'topK' | 'aggregate';

export interface Grouped extends Place, Readonly<Record<Ready, (options: Options) => Rows>> {
  window(windows: object): Grouped;
  emitOnClose(): Grouped;
}

export interface Dsl {
  stream(topic: AnyTopic, options?: Options): Records;
  table(topic: AnyTopic, options: Options): Rows;
  read(source: object, options: Options): Records;
}

/** Options of the DSL, those that are undefined left out. */
export type Options = { readonly [name: string]: unknown };

export type AnyTopic = Topic<unknown, unknown, number>;

/** What leaves at a port. */
export interface Flow {
  /** As a stream; fails where it is none. */
  records(): Records;
  /** As a table; `store` names one where it has to be made. */
  rows(store: string): Rows;
  /** It is a table by itself. */
  readonly isTable: boolean;
  /** Windows that were put on it, for the aggregate behind. */
  readonly windows?: { readonly spec: object; readonly input: Flow };
  /** Its values were made by an expression, so that their format has to be said where they are stored. */
  readonly made: boolean;
}

/** What a node type has at hand to add its part. */
export interface SegmentParts {
  /** The id of the node: what it names is named after it. */
  readonly node: string;
  /** Of the run: topics that only this run has begin with it. */
  readonly name: string;
  readonly topology: Dsl;
  /** The configuration, filled in. */
  readonly config: { readonly [name: string]: Json };
  /** What arrives, by port; a port without an edge is not there. */
  readonly inputs: { readonly [port: string]: Flow };
  /** What comes from the control plane, by port. */
  readonly values: { readonly [port: string]: Json };
  /** An expression of records. */
  expr(source: string): RecordFunction;
  /** A format as documents name them; default `json`. */
  format(spec: Json | undefined): Serde<unknown>;
  /** A topic of the outside, or of this run alone. */
  topic(name: string, spec: TopicFormats): AnyTopic;
  /** Says that a part of the plan is this node's. */
  own<P extends { readonly id: string }>(place: P): P;
  /** The node writes this topic. */
  writes(topic: AnyTopic): void;
  /** When the run has ended, this topic's records become the value at port `out`. */
  collect(topic: AnyTopic, options: { readonly limit: number; readonly newest: boolean }): void;
  /** While it runs and when it has ended, this topic's records are brought to another system. */
  export(topic: AnyTopic, target: ExportSpec): void;
  /** Starts an execution for a record, and answers what that does. */
  startForRecord(start: Omit<RecordStart, 'node'>, signal: AbortSignal): Promise<Json>;
  /** The topic that is read for one that the document names: realtime runs have one of their own for their record. */
  inputTopic(name: string): string;
  fail(why: string): Error;
}

export interface TopicFormats {
  readonly key: Json | undefined;
  readonly value: Json | undefined;
  readonly partitions: number;
}

/** Data of an export: who runs the segment opens it. */
export type ExportSpec =
  | { readonly to: 'file'; readonly path: string; readonly columns: 'value' | 'record' }
  | {
      readonly to: 'postgres';
      readonly connection: string;
      readonly table: string;
      readonly columns: { readonly [column: string]: string };
      readonly keyColumns: readonly string[];
    }
  | {
      readonly to: 'http';
      readonly url: string;
      readonly method: 'POST' | 'PUT';
      readonly headers: { readonly [name: string]: string };
      readonly batch: number;
    };
