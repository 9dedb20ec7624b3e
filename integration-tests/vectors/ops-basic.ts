import type { ProcessContext, Processor } from '../../operators/operators.ts';
import { string, type Windowed } from '../../schemas/schemas.ts';
import type {
  Build,
  Keys,
  OpTable,
  Statement,
  StreamMade,
  TableMade,
  Text,
  TextGroup,
  TextStream,
  TextTable,
} from './op.ts';
import { joined, plainKey, predicateOf, text, textFunctionOf } from './text-functions.ts';

/** Begins the printed form of a windowed key: no key of a vector does. */
export const WINDOWED_MARK = '\u0000';

/** Streams, tables of topics, grouping, aggregates over aligned windows, stream-table joins, sinks. */
export const OPS_BASIC: OpTable = {
  stream(statement, build) {
    return stream(build.topology.stream(build.topic(statement.topic!)), build.plain, false);
  },
  table(statement, build) {
    if (statement.versionedMs !== undefined) return undefined;
    const store = statement.store ?? `${build.name(statement)}-store`;
    return table(build.topology.table(build.topic(statement.topic!), { store }), build.plain);
  },
  filter(statement, build) {
    const from = build.find('stream', statement.from);
    return from && { ...from, handle: from.handle.filter(predicateOf(statement.pred)) };
  },
  mapValues(statement, build) {
    const from = build.find('stream', statement.from);
    return from && { ...from, handle: from.handle.mapValues(textFunctionOf(statement.fn)) };
  },
  flatMapValues(statement, build) {
    const from = build.get('stream', statement.from);
    return { ...from, handle: from.handle.flatMapValues<Text>((value) => text(value)?.split(',') ?? []) };
  },
  selectKey(statement, build) {
    const from = build.get('stream', statement.from);
    return stream(from.handle.selectKey(textFunctionOf(statement.fn)), build.plain, true);
  },
  merge(statement, build) {
    const from = build.get('stream', statement.from);
    const other = build.get('stream', statement.with);
    return stream(from.handle.merge(other.handle), from.keys, from.stale || other.stale);
  },
  repartition(statement, build) {
    const from = build.get('stream', statement.from);
    const handle = build.settle({ ...from, stale: true }, build.name(statement));
    // its topic is read also where nothing follows
    handle.forEach(() => {});
    return stream(handle, from.keys, false);
  },
  groupByKey(statement, build) {
    const from = build.get('stream', statement.from);
    return {
      kind: 'group',
      group: (store) => build.group(build.settle(from, statement.name ?? store)),
      keys: from.keys,
    };
  },
  groupBy(statement, build) {
    const from = build.find('stream', statement.from);
    if (from === undefined) return undefined;
    const keyed = stream(from.handle.selectKey(textFunctionOf(statement.keyFn)), build.plain, true);
    return {
      kind: 'group',
      group: (store) => build.group(build.settle(keyed, statement.name ?? store)),
      keys: build.plain,
    };
  },
  aggregate(statement, build) {
    const from = build.find('group', statement.from);
    if (from === undefined) return undefined;
    if (statement.window !== undefined) return undefined;
    return table(aggregated(from.group(build.name(statement)), statement, build), from.keys);
  },
  toTable(statement, build) {
    const from = build.get('stream', statement.from);
    const handle = build.settle(from, build.name(statement)).toTable({ store: build.name(statement), value: string() });
    return table(handle, from.keys);
  },
  toStream(statement, build) {
    const from = build.get('table', statement.from);
    return stream(from.handle.toStream().mapValues(text), from.keys, false);
  },
  joinST(statement, build) {
    const from = build.get('stream', statement.from);
    const other = build.get('table', statement.with);
    if (statement.grace !== undefined) return undefined;
    const left = build.settle(from, statement.name);
    const options = { name: build.name(statement), merge: joined };
    const handle =
      statement.type === 'left' ? left.leftJoinTable(other.handle, options) : left.joinTable(other.handle, options);
    return stream(handle, from.keys, false);
  },
  punctuate(statement, build) {
    const from = build.get('stream', statement.from);
    const supplier = () => new Ticker(statement.time === 'wall' ? 'wall' : 'stream', statement.interval!);
    return stream(from.handle.process({ name: build.name(statement), supplier }), build.plain, true);
  },
  to(statement, build) {
    const from = build.made(statement.from);
    const topic = build.topic(statement.topic!);
    if (from.kind !== 'stream' && from.kind !== 'table') return undefined;
    const handle = from.kind === 'stream' ? from.handle : from.handle.toStream();
    if (from.keys.windows === undefined) handle.mapValues(text).to(topic);
    else handle.map((value, key) => [printed(key, from.keys), text(value)]).to(topic);
    return { kind: 'sink' };
  },
};

/** Count, reduce or aggregate of a grouped or windowed stream, whose calls are the same. */
export function aggregated(group: TextGroup, statement: Statement, build: Build, options: object = {}): unknown {
  const common = { store: build.name(statement), ...options };
  const value = build.text;
  const add = (aggregate: Text, next: Text) => `${aggregate}+${text(next)}`;
  switch (statement.kind) {
    case 'count':
      return group.count(common);
    case 'reduce':
      return group.reduce({ ...common, value, add });
    case 'aggregate':
      return group.aggregate({ ...common, value, initial: (): Text => '0', add });
    default:
      throw new Error(`unknown kind of aggregate: ${statement.kind}`);
  }
}

/** Whatever the call of the DSL answers: its type is finer than vectors can say. */
export function stream(handle: unknown, keys: Keys, stale: boolean): StreamMade {
  return { kind: 'stream', handle: handle as TextStream, keys, stale };
}

export function table(handle: unknown, keys: Keys): TableMade {
  return { kind: 'table', handle: handle as TextTable, keys };
}

/** A windowed key on the output topic, marked and as JSON; the runner takes it apart again. */
function printed(key: unknown, { windows }: Keys): string {
  const { start, end } = key as Windowed<unknown>;
  return WINDOWED_MARK + JSON.stringify([plainKey(key), start, windows === 'unlimited' ? 'inf' : end]);
}

/** Forwards what it gets, and a tick at each interval. */
class Ticker implements Processor<string, Text, string, Text> {
  readonly #time: 'stream' | 'wall';
  readonly #interval: number;

  constructor(time: 'stream' | 'wall', interval: number) {
    this.#time = time;
    this.#interval = interval;
  }

  init(context: ProcessContext<string, Text>): void {
    context.schedule(this.#interval, this.#time, (at) => context.forward('P', `tick@${at}`, at));
  }

  process(value: Text, key: string, context: ProcessContext<string, Text>): void {
    context.forward(key, value);
  }
}
