import type { StoreThere } from './as-there.ts';
import type { Statement } from './op.ts';
import type { RunMode } from './run-vector.ts';
import { textFunctionOf } from './text-functions.ts';
import type { InputRecord, Vector } from './vector.ts';

/**
 * Where this engine answers otherwise than Kafka Streams, on purpose. Each difference says by the topology and the
 * input alone where it may show, and then allows no more than it names: a vector in which anything else differs has
 * failed. The reasons stand in `docs/differences.md`, under the same names.
 */
export interface Difference {
  readonly name: string;
  /** Whether it may show. */
  applies(input: VectorInput): boolean;
  readonly allows: Allowance;
}

/** What a vector feeds, without what it expects. */
export interface VectorInput {
  readonly config: Vector['config'];
  readonly topology: readonly Statement[];
  readonly records: readonly InputRecord[];
}

export interface Allowance {
  /** Drops that are counted here and vanish there, by the node and the reason. */
  readonly uncounted?: (nodeAndReason: string) => boolean;
  /** The topology is refused there. */
  readonly refusedThere?: boolean;
  /** The topology is refused here; each fault that is told must be such a one. */
  readonly refusedHere?: RegExp;
  /** A step that fails there, and does not here. */
  readonly failsThere?: (step: VectorInput) => boolean;
  /** The vector may be run once more in this way, which is that of Kafka Streams: then everything must be as it is there. */
  readonly asThere?: RunMode;
}

export function inputOf({ topology, config, steps = [] }: Vector): VectorInput {
  const records = steps.flatMap(({ in: into, k = null, v = null, ts, h }): InputRecord[] => {
    if (into === undefined) return [];
    if (typeof into !== 'string') return [...into];
    return [{ k, v, ts: ts ?? 0, ...(h === undefined ? {} : { h }) }];
  });
  return { config, topology, records };
}

export function differencesOf(vector: Vector): readonly Difference[] {
  const input = inputOf(vector);
  return ALL.map((make) => make(input)).filter((difference) => difference.applies(input));
}

type Make = (input: VectorInput) => Difference;

/** Invariant 35: a record without a key does not pass a repartition; here it is counted. */
const nullKeysAtRepartition: Make = () => ({
  name: 'null-keys-at-repartition',
  applies: ({ topology, records }) =>
    topology.some(({ op }) => ['selectKey', 'groupBy', 'repartition', 'punctuate'].includes(op)) &&
    hasNullKeys(topology, records),
  allows: { uncounted: (name) => /^(repartition|groupTable):.* null-key$/.test(name) },
});

/**
 * Invariant 5: a record without a key, or of sliding windows without a value, moves the clock of a windowed aggregate
 * as every other record does.
 */
const nullsMoveTime: Make = () => ({
  name: 'nulls-move-time',
  applies: ({ topology, records }) =>
    topology.some(({ op, window }) => op === 'aggregate' && window !== undefined) &&
    (hasNullKeys(topology, records) || topology.some(({ window }) => window?.type === 'sliding')),
  allows: { asThere: { withoutUseless: true } },
});

/** Some key is null, or may become so where the key is changed, also of a deletion that a table tells as a stream. */
function hasNullKeys(topology: readonly Statement[], records: readonly InputRecord[]): boolean {
  const rekeys = topology.filter(({ op }) => op === 'selectKey' || op === 'groupBy');
  const keys = rekeys.map(({ fn, keyFn }) => textFunctionOf(keyFn ?? fn));
  const values = topology.filter(({ op }) => op === 'mapValues').map(({ fn }) => textFunctionOf(fn));
  const deletions = topology.some(({ op }) => op === 'toStream') ? [null] : [];
  const mayBe = ({ k, v }: InputRecord) => [v, ...values.map((value) => value(v, k)), ...deletions];
  return records.some(
    (each) => each.k === null || keys.some((key) => mayBe(each).some((v) => key(v, each.k) === null)),
  );
}

/**
 * Emission on close reads the store behind its retention there: windows that lie behind the newest one by as much as the
 * retention are lost when time jumps.
 */
const lostOnClose: Make = ({ config }) => ({
  name: 'lost-on-close',
  applies: ({ topology }) => topology.some(({ emit }) => emit === 'close'),
  allows: { asThere: { losesOnClose: storeOf(config) } },
});

function storeOf(config: Vector['config']): StoreThere {
  return config?.store === 'in_memory' ? 'memory' : 'disk';
}

/**
 * What a record sets free (windows that close, records and updates that waited) goes on in steps of its own, and not in
 * the midst of what the record itself does in other branches. It shows where both meet: in a topic, in a join, in an
 * aggregate, and where one record makes several updates of what is held back.
 */
const closesAfterTheRecord: Make = () => ({
  name: 'closes-after-the-record',
  applies: ({ topology }) => topology.some(emitsLater),
  allows: { asThere: { atOnce: true } },
});

function emitsLater({ op, emit, grace }: Statement): boolean {
  if (op === 'suppress' || emit === 'close') return true;
  return op === 'joinST' && grace !== undefined;
}

/**
 * Final results carry no headers here; there they carry those of the record that happened to close the window, or of the
 * last update of one that waited in a buffer.
 */
const headersOfOthers: Make = () => ({
  name: 'headers-of-late-results',
  applies: ({ topology, records }) =>
    records.some(({ h }) => h !== undefined) &&
    topology.some(({ emit, until }) => emit === 'close' || until === 'windowClose'),
  allows: { asThere: { headersOfTrigger: true } },
});

/**
 * A record that is too old for the store of its side is counted as late when it comes. There a store on disk counts it
 * only where its whole segment, of a minute at least, has gone; one in memory as here, and also one with a null value,
 * which it lets move its time.
 */
const lateAtJoin: Make = ({ config }) => ({
  name: 'late-at-join',
  applies: ({ topology }) => topology.some(({ op }) => op === 'joinSS'),
  allows: { asThere: { countsLate: storeOf(config) } },
});

/**
 * A session that ends as long ago as its store keeps it is no longer found by any record. In memory Kafka Streams counts it
 * as a record that comes too late for the store; on disk, and here, it is no drop, since its update comes out.
 */
const oldSessionsInMemory: Make = ({ config }) => ({
  name: 'old-sessions-in-memory',
  applies: ({ topology }) =>
    storeOf(config) === 'memory' && topology.some(({ op, window }) => op === 'aggregate' && window?.type === 'session'),
  allows: { asThere: { countsOldSessions: true } },
});

/**
 * What comes out of a buffer of suppression replaces what came out of it before. There it is said to replace what its
 * newest update replaced, which may never have come out. It shows where somebody reads what a row replaces.
 */
const heldOlds: Make = () => ({
  name: 'held-olds',
  applies: ({ topology }) => {
    const held = heldTables(topology);
    return topology.some(({ op, from, with: other, type }) => {
      const [left, right] = [held.has(from), held.has(other)];
      if (op === 'joinTT') return (left && type !== 'inner') || (right && type === 'outer');
      return left && ['groupBy', 'joinFK', 'filter', 'suppress'].includes(op);
    });
  },
  allows: { asThere: { oldsOfUpdates: true } },
});

/** Tables whose updates were held back, and what is made of them row by row. */
function heldTables(topology: readonly Statement[]): ReadonlySet<string | undefined> {
  const held = new Set<string | undefined>();
  for (const { op, id, from, with: other } of topology) {
    if (id === undefined) continue;
    const follows = ['filter', 'mapValues', 'joinTT'].includes(op) && (held.has(from) || held.has(other));
    if (op === 'suppress' || follows) held.add(id);
  }
  return held;
}

/**
 * An inner join by foreign key hears of each leaving of a key when it is done, and an answer that is stale may delete a
 * result. There it hears of none, and leaves all that is stale alone, so that a result may stand for ever. It shows where
 * one record changes both sides, or the left one more than once.
 */
const staleForeignAnswers: Make = () => ({
  name: 'stale-foreign-answers',
  applies: ({ topology }) => {
    const ways = waysTo(topology);
    return topology.some(({ op, type, from, with: other }) => {
      if (op !== 'joinFK' || type === 'left') return false;
      const [left, right] = [ways.get(from!) ?? [], ways.get(other!) ?? []];
      return left.some((topic, at) => topic === SEVERAL || left.includes(topic, at + 1) || right.includes(topic));
    });
  },
  allows: { asThere: { forgetsLeavings: true } },
});

/** Stands among topics for a statement that may make several records of one. */
const SEVERAL = '';
const MAKE_SEVERAL: readonly string[] = ['flatMapValues', 'joinSS', 'punctuate', 'groupBy', 'suppress'];

/** From which topics records come to each statement, a topic as often as there are ways from it. */
function waysTo(topology: readonly Statement[]): ReadonlyMap<string, readonly string[]> {
  const ways = new Map<string, readonly string[]>();
  for (const { op, id, topic, from, with: other } of topology) {
    const before = [from, other].flatMap((input) => ways.get(input ?? '') ?? []);
    const own = [...(topic === undefined ? [] : [topic]), ...(MAKE_SEVERAL.includes(op) ? [SEVERAL] : [])];
    if (id !== undefined) ways.set(id, [...before, ...own]);
  }
  return ways;
}

/**
 * Tables of windows are joined by their windowed keys, and those of unlike windows have unlike keys: that is refused here.
 * There nobody looks at the windows.
 */
const unlikeWindows: Make = () => ({
  name: 'unlike-windows',
  applies: ({ topology }) => {
    const windows = windowsOf(topology);
    return topology.some(({ op, from, with: other }) => op === 'joinTT' && windows.get(from) !== windows.get(other));
  },
  allows: { refusedHere: /: key types differ: / },
});

/** What the keys of each table say of windows. */
function windowsOf(topology: readonly Statement[]): ReadonlyMap<string | undefined, string> {
  const windows = new Map<string | undefined, string>();
  for (const { op, id, from, window } of topology) {
    const { type, size, diff } = window ?? {};
    if (type !== undefined) windows.set(id, type === 'session' || type === 'unlimited' ? type : `${size ?? diff}`);
    else if (windows.has(from) && op !== 'groupBy' && op !== 'selectKey') windows.set(id, windows.get(from)!);
  }
  return windows;
}

/**
 * A record without a key is kept by a left join with a table; where the join has a grace, Kafka Streams fails on it, since
 * its buffer has no place for it. Here it is joined at once, as without a grace.
 */
const nullKeysWithGrace: Make = () => ({
  name: 'null-keys-with-grace',
  applies: ({ topology }) => topology.some(joinsWithGrace),
  allows: { failsThere: ({ topology, records }) => hasNullKeys(topology, records) },
});

function joinsWithGrace({ op, type, grace }: Statement): boolean {
  return op === 'joinST' && type === 'left' && grace !== undefined;
}

/** Kafka Streams gives both repartitions of a re-keyed stream that is cogrouped with itself one name, and refuses it. */
const cogroupOfOneStream: Make = () => ({
  name: 'cogroup-of-one-stream',
  applies: ({ topology }) => {
    const grouped = new Map(topology.filter(({ op }) => op === 'groupByKey').map(({ id, from }) => [id, from]));
    return topology.some(({ op, from, with: other }) => {
      return op === 'cogroup' && grouped.has(from) && grouped.get(from) === grouped.get(other);
    });
  },
  allows: { refusedThere: true },
});

const ALL: readonly Make[] = [
  nullKeysAtRepartition,
  nullsMoveTime,
  lostOnClose,
  closesAfterTheRecord,
  headersOfOthers,
  lateAtJoin,
  oldSessionsInMemory,
  heldOlds,
  staleForeignAnswers,
  nullKeysWithGrace,
  cogroupOfOneStream,
  unlikeWindows,
];
