import { type Serde, string } from '../../schemas/schemas.ts';
import { type Topic, type Topology, topic } from '../../topology/topology.ts';
import type {
  Build,
  Keys,
  Made,
  MadeKind,
  MadeOf,
  Op,
  OpTable,
  Statement,
  StreamMade,
  Text,
  TextGroup,
  TextStream,
  TextTopic,
} from './op.ts';
import { text } from './text-functions.ts';

export interface VectorBuildOptions {
  readonly buffers: boolean;
  /** Records of which an aggregate has no use are told to it, and left out before they are grouped. */
  readonly onUseless: (() => void) | undefined;
}

/** Says a vector's topology in the DSL, statement by statement. */
export class VectorBuild implements Build {
  readonly topology: Topology;
  readonly config: Build['config'];
  readonly text = string() as Serde<Text>;
  readonly plain: Keys = Object.freeze({ serde: string() as Serde<unknown>, windows: undefined });
  readonly buffers: boolean;
  readonly #tables: readonly OpTable[];
  readonly #onUseless: (() => void) | undefined;
  #current: Statement | undefined;
  readonly #made = new Map<string, Made>();
  readonly #names = new Map<Statement, string>();
  readonly #topics = new Map<string, TextTopic>();
  readonly #settled = new Map<StreamMade, Map<string, TextStream>>();

  constructor(topology: Topology, config: Build['config'], tables: readonly OpTable[], options: VectorBuildOptions) {
    this.topology = topology;
    this.config = config;
    this.buffers = options.buffers;
    this.#tables = tables;
    this.#onUseless = options.onUseless;
  }

  /** Fails with {@link MissingOp} where no table knows the statement. */
  add(statement: Statement, place: number): void {
    this.#names.set(statement, statement.name ?? statement.store ?? statement.id ?? `${statement.op}-${place}`);
    this.#current = statement;
    const made = this.#run(statement);
    if (statement.id !== undefined) this.#made.set(statement.id, made);
  }

  made(id: string | undefined): Made {
    const made = id === undefined ? undefined : this.#made.get(id);
    if (made === undefined) throw new Error(`no statement before has made ${id}`);
    return made;
  }

  find<Kind extends MadeKind>(kind: Kind, id: string | undefined): MadeOf<Kind> | undefined {
    const made = this.made(id);
    return made.kind === kind ? (made as MadeOf<Kind>) : undefined;
  }

  get<Kind extends MadeKind>(kind: Kind, id: string | undefined): MadeOf<Kind> {
    const made = this.find(kind, id);
    if (made === undefined) throw new Error(`${id} is a ${this.made(id).kind}, and must be a ${kind}`);
    return made;
  }

  name(statement: Statement): string {
    return this.#names.get(statement)!;
  }

  /** Every topic that was named so far. */
  get topics(): ReadonlyMap<string, TextTopic> {
    return this.#topics;
  }

  topic(name: string): TextTopic {
    let known = this.#topics.get(name);
    if (known === undefined) {
      known = topic(name, { key: string(), value: this.text, partitions: 1 }) as Topic<string, Text, 1>;
      this.#topics.set(name, known);
    }
    return known;
  }

  settle(stream: StreamMade, name?: string): TextStream {
    if (!stream.stale) return stream.handle;
    const as = name ?? this.#idOf(stream);
    const byName = this.#settled.get(stream) ?? new Map<string, TextStream>();
    this.#settled.set(stream, byName);
    let settled = byName.get(as);
    if (settled === undefined) {
      const key = stream.keys.serde as Serde<string>;
      settled = stream.handle.mapValues(text).repartition({ name: as, key, value: this.text, partitions: 1 });
      byName.set(as, settled);
    }
    return settled;
  }

  group(stream: TextStream): TextGroup {
    const onUseless = this.#onUseless;
    if (onUseless === undefined) return stream.groupByKey();
    const dropsNulls = this.#current?.window?.type === 'sliding';
    const useful = stream.filter((value, key: Text) => {
      const isUseful = key !== null && (value !== null || !dropsNulls);
      if (!isUseful) onUseless();
      return isUseful;
    });
    return useful.groupByKey();
  }

  #idOf(stream: StreamMade): string {
    for (const [id, made] of this.#made) if (made === stream) return id;
    throw new Error('the stream was made by no statement');
  }

  #run(statement: Statement): Made {
    const ops = this.#tables.map((table) => table[statement.op]).filter((op): op is Op => op !== undefined);
    for (const op of ops) {
      const made = op(statement, this);
      if (made !== undefined) return made;
    }
    throw new MissingOp(statement);
  }
}

/** No table knows this statement, or not with these options. */
export class MissingOp extends Error {
  readonly statement: Statement;

  constructor(statement: Statement) {
    super(`no operator for ${JSON.stringify(statement)}`);
    this.statement = statement;
  }
}
