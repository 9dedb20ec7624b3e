import type { Statement } from './op.ts';
import type { RunMode } from './run-vector.ts';
import { textFunctionOf } from './text-functions.ts';
import type { InputRecord, OutputRecord, Vector } from './vector.ts';

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
  readonly topology: readonly Statement[];
  readonly records: readonly InputRecord[];
}

export interface Allowance {
  /** Drops that are counted here and vanish there, by the node and the reason. */
  readonly uncounted?: (nodeAndReason: string) => boolean;
  /** Results of one step may come in another order, but for those of one key, window and time. */
  readonly otherOrder?: boolean;
  /** Results may come without the header that they have there. */
  readonly headerless?: boolean;
  /** A result that is lost there, `time` being the largest time fed so far. */
  readonly lost?: (result: OutputRecord, time: number) => boolean;
  /** The vector may be run once more in this way, which is that of Kafka Streams: then everything must be as it is there. */
  readonly asThere?: RunMode;
}

export function inputOf({ topology, steps = [] }: Vector): VectorInput {
  const records = steps.flatMap(({ in: into, k = null, v = null, ts, h }): InputRecord[] => {
    if (into === undefined) return [];
    if (typeof into !== 'string') return [...into];
    return [{ k, v, ts: ts ?? 0, ...(h === undefined ? {} : { h }) }];
  });
  return { topology, records };
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

/** Some key is null, or may become so where the key is changed. */
function hasNullKeys(topology: readonly Statement[], records: readonly InputRecord[]): boolean {
  const rekeys = topology.filter(({ op }) => op === 'selectKey' || op === 'groupBy');
  const keys = rekeys.map(({ fn, keyFn }) => textFunctionOf(keyFn ?? fn));
  const values = topology.filter(({ op }) => op === 'mapValues').map(({ fn }) => textFunctionOf(fn));
  const mayBe = ({ k, v }: InputRecord) => [v, ...values.map((value) => value(v, k))];
  return records.some(
    (each) => each.k === null || keys.some((key) => mayBe(each).some((v) => key(v, each.k) === null)),
  );
}

/**
 * Emission on close reads the store behind its retention there: windows that start before the newest one by as much
 * as the retention are lost when time jumps.
 */
const lostOnClose: Make = ({ topology }) => {
  const closing = topology.filter(({ op, emit }) => op === 'aggregate' && emit === 'close');
  const retention = Math.min(...closing.map(retentionOf));
  return {
    name: 'lost-on-close',
    applies: () => closing.length > 0,
    allows: { lost: ({ win }, time) => win !== undefined && win[0] + retention <= time },
  };
};

function retentionOf({ retention, window = {} }: Statement): number {
  const { size = 0, diff = 0, gap = 0, grace = 0 } = window;
  return retention ?? size + 2 * diff + gap + grace;
}

/**
 * What a record sets free (windows that close, records that waited) goes on in steps of its own, and not in the midst of
 * what the record itself does in other branches. It shows only where both go to one topic, where both
 * are joined, and where one record makes several updates of a table that is held back.
 */
const closesAfterTheRecord: Make = ({ topology }) => {
  const ways = topology.filter(({ op, topic }) => op === 'merge' || (op === 'to' && topic === 'O'));
  const within = topology.some(({ op }) => op === 'suppress') && (joinsWays(topology) || updatesSeveral(topology));
  return {
    name: 'closes-after-the-record',
    applies: () => topology.some(emitsLater) && (ways.length > 1 || within),
    allows: { ...(ways.length > 1 ? { otherOrder: true } : {}), ...(within ? { asThere: { atOnce: true } } : {}) },
  };
};

/** A record may be in several windows, or change several. */
function updatesSeveral(topology: readonly Statement[]): boolean {
  return topology.some(({ window }) => ['hopping', 'sliding', 'session'].includes(window?.type ?? ''));
}

/** One topic comes to both sides of a join. */
function joinsWays(topology: readonly Statement[]): boolean {
  const topics = new Map<string | undefined, ReadonlySet<string>>();
  let joins = false;
  for (const { op, id, topic, from, with: other } of topology) {
    const left = topics.get(from) ?? new Set();
    const right = topics.get(other) ?? new Set();
    if (op.startsWith('join') && [...left].some((each) => right.has(each))) joins = true;
    if (id !== undefined) topics.set(id, new Set([...left, ...right, ...(topic === undefined ? [] : [topic])]));
  }
  return joins;
}

/**
 * Results that are emitted on behalf of older records carry no headers here; there they carry those of the record
 * that happened to set them free, or what was kept with a buffered one.
 */
const headersOfOthers: Make = () => ({
  name: 'headers-of-late-results',
  applies: ({ topology, records }) => records.some(({ h }) => h !== undefined) && topology.some(emitsLater),
  allows: { headerless: true },
});

function emitsLater({ op, emit, grace }: Statement): boolean {
  if (op === 'suppress' || emit === 'close') return true;
  return op === 'joinST' && grace !== undefined;
}

/**
 * A record that is too old for the store of its side is counted as late when it comes; there the store on disk counts it
 * only where its whole segment, of a minute at least, has gone.
 */
const lateAtJoin: Make = () => ({
  name: 'late-at-join',
  applies: ({ topology }) => topology.some(({ op }) => op === 'joinSS'),
  allows: { uncounted: (name) => /^joinStreams:.* late$/.test(name) },
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

const ALL: readonly Make[] = [
  nullKeysAtRepartition,
  nullsMoveTime,
  lostOnClose,
  closesAfterTheRecord,
  headersOfOthers,
  lateAtJoin,
  heldOlds,
];
