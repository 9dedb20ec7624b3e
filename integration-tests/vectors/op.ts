import type { Serde } from '../../schemas/schemas.ts';
import type { Grouped, Stream, Table, Topic, Topology } from '../../topology/topology.ts';

/**
 * How a statement of a vector (the format stands in `format.md`) becomes a call of the DSL.
 *
 * Each group of operators has a file `ops-<group>.ts` with one {@link OpTable}, and one row in `ops.ts`. A row of
 * a table takes one statement and what the statements before it made, calls the public DSL, and answers what it
 * made; `undefined` says that the statement is not its own (an option that another table knows), and the next
 * table is asked. Statements are typed loosely, since they are read from files; a row looks only at what its op has.
 *
 * All keys and values are texts, or null. Two things are not, and a row that hands them to text functions
 * says so: the values of counts are numbers (`text` prints them), and keys behind windows are windowed
 * (`plainKey` takes the key inside). Everything lies on one partition.
 */
export interface Statement {
  readonly op: string;
  readonly id?: string;
  readonly from?: string;
  readonly with?: string;
  readonly topic?: string;
  readonly name?: string;
  readonly store?: string;
  readonly kind?: string;
  readonly type?: string;
  readonly pred?: { readonly neq?: string; readonly startsWith?: string };
  readonly fn?: string;
  readonly keyFn?: string;
  readonly valueFn?: string;
  readonly fkFn?: string;
  readonly window?: WindowStatement;
  readonly emit?: string;
  readonly retention?: number;
  readonly until?: string;
  readonly ms?: number;
  readonly maxRecords?: number;
  readonly maxBytes?: number;
  readonly onFull?: string;
  readonly versionedMs?: number;
  readonly segmentMs?: number;
  readonly grace?: number;
  readonly time?: string;
  readonly interval?: number;
  readonly historyMs?: number;
  readonly size?: number;
  readonly impl?: string;
}

export interface WindowStatement {
  readonly type?: string;
  readonly size?: number;
  readonly advance?: number;
  readonly diff?: number;
  readonly gap?: number;
  readonly start?: number;
  readonly before?: number;
  readonly after?: number;
  readonly grace?: number;
}

export type Text = string | null;

/** DSL handles over texts. A stale stream has this type too, though the DSL would refuse it: {@link Build.settle}. */
export type TextTopic = Topic<string, Text, 1>;
export type TextStream = Stream<string, Text, 1>;
export type TextTable = Table<string, Text, 1>;
export type TextGroup = Grouped<string, Text, 1>;

/** How keys are, for whoever writes them to a topic or prints them. */
export interface Keys {
  readonly serde: Serde<unknown>;
  /** Undefined for plain keys. The ends that the format prints are exclusive for `time`, `inf` for `unlimited`. */
  readonly windows: 'time' | 'sliding' | 'session' | 'unlimited' | undefined;
}

export interface StreamMade {
  readonly kind: 'stream';
  readonly handle: TextStream;
  readonly keys: Keys;
  /** The key was changed since the last topic: call {@link Build.settle} before an operation by key. */
  readonly stale: boolean;
}

/** Any table: of a topic, of an aggregate, of final results. A row that needs more of the handle casts it. */
export interface TableMade {
  readonly kind: 'table';
  readonly handle: TextTable;
  readonly keys: Keys;
}

/**
 * A stream before its aggregate. The repartition that it may need is named by the grouping, or, where that has no
 * name, by the store of the aggregate, and each aggregate has its own; so the handle is made when asked for.
 */
export interface GroupMade {
  readonly kind: 'group';
  group(store: string): TextGroup;
  readonly keys: Keys;
}

/** A table before its aggregate, with adder and subtractor; named as a grouped stream is. */
export interface TableGroupMade {
  readonly kind: 'tableGroup';
  group(store: string): unknown;
  readonly keys: Keys;
}

/** Grouped streams that share an aggregate, before it. */
export interface CogroupMade {
  readonly kind: 'cogroup';
  group(store: string): unknown;
  readonly keys: Keys;
}

export interface GlobalTableMade {
  readonly kind: 'globalTable';
  readonly handle: unknown;
}

/** A sink: nothing follows it. */
export interface SinkMade {
  readonly kind: 'sink';
}

export type Made = StreamMade | TableMade | GroupMade | TableGroupMade | CogroupMade | GlobalTableMade | SinkMade;
export type MadeKind = Made['kind'];
export type MadeOf<Kind extends MadeKind> = Extract<Made, { readonly kind: Kind }>;

/** What a row builds with. */
export interface Build {
  readonly topology: Topology;
  /** `config` of the vector. */
  readonly config: { readonly store?: string; readonly optimize?: string };
  /** The serde of all texts, and how keys of plain streams are. Values of counts are printed before they meet it. */
  readonly text: Serde<Text>;
  readonly plain: Keys;
  /** Final results wait in a buffer: somebody looks them up. Else their aggregate gives them out itself. */
  readonly buffers: boolean;
  /** What the statement with this id made; fails on an unknown id. */
  made(id: string | undefined): Made;
  /** The same, where it is of this kind; `undefined` where it is of another. */
  find<Kind extends MadeKind>(kind: Kind, id: string | undefined): MadeOf<Kind> | undefined;
  /** The same, where it must be of this kind. */
  get<Kind extends MadeKind>(kind: Kind, id: string | undefined): MadeOf<Kind>;
  /** A name of its own for what the statement makes: its `name` or `store`, its id, or its op and place. */
  name(statement: Statement): string;
  /** A topic of texts. */
  topic(name: string): TextTopic;
  /**
   * The stream, repartitioned by its key where that is stale; a stream is repartitioned once under each name. Without
   * a name, as for joins that have none, the name is made of the ids; a table or an aggregate has a repartition of its own.
   */
  settle(stream: StreamMade, name?: string): TextStream;
  /** Groups a settled stream by its key. */
  group(stream: TextStream): TextGroup;
}

export type Op = (statement: Statement, build: Build) => Made | undefined;
export type OpTable = { readonly [op: string]: Op };
