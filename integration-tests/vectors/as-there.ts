import type { Millis } from '../../core/ids.ts';
import {
  OPERATORS,
  type Operator,
  type OperatorClock,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type ResumableScan,
} from '../../operators/operators.ts';
import type { Rec } from '../../operators/record.ts';
import type { Windowed } from '../../schemas/schemas.ts';
import type { NodeKind, NodeOf } from '../../topology/plan.ts';
import { FORGETFUL_ANSWER, FORGETFUL_SUBSCRIBE } from './foreign-there.ts';

/**
 * In what operators may do as those of Kafka Streams do, where ours differ on purpose: then everything must come out as
 * it does there.
 */
export interface ThereMode {
  /** What comes out of a buffer of suppression replaces what its newest update replaced, be it held back itself. */
  readonly oldsOfUpdates?: boolean;
  /** What a record sets free (windows, buffers) comes out while the record is on its way, not behind it. */
  readonly atOnce?: boolean;
  /** Emission on close passes over windows that lie behind the newest by the retention, in stores of this kind. */
  readonly losesOnClose?: StoreThere;
  /** Results of emission on close have the headers of the record that closed them. */
  readonly headersOfTrigger?: boolean;
  /** Records that are too old for their side of a join are counted as by stores of this kind. */
  readonly countsLate?: StoreThere;
  /** A session that ends as long ago as its store keeps it is counted as one that comes too late for the store. */
  readonly countsOldSessions?: boolean;
  /** The left side of an inner join by foreign key hears of no leaving, and leaves every stale answer alone. */
  readonly forgetsLeavings?: boolean;
}

export type StoreThere = 'disk' | 'memory';

type Wrap<Kind extends NodeKind> = (own: OperatorFactory<Kind>) => OperatorFactory<Kind>;
type Holding = 'aggregate' | 'joinTable' | 'suppressBuffer';
type Changed = Holding | 'joinStreams' | 'subscribeForeign' | 'answerForeign';

/** Runs something with such operators. `onFault` hears of one that does neither what ours do nor what theirs do. */
export async function withOperatorsAsThere<T>(
  mode: ThereMode,
  onFault: (words: string) => void,
  run: () => Promise<T>,
): Promise<T> {
  const factories: { [Kind in Changed]: OperatorFactory<Kind> } = OPERATORS;
  const { aggregate, joinTable, suppressBuffer, joinStreams, subscribeForeign, answerForeign } = factories;
  if (mode.headersOfTrigger) factories.aggregate = headersOfTrigger(factories.aggregate);
  if (mode.losesOnClose) factories.aggregate = losesOnClose(factories.aggregate, mode.losesOnClose);
  if (mode.countsOldSessions) factories.aggregate = countsOldSessions(factories.aggregate);
  if (mode.countsLate) factories.joinStreams = COUNTS_LATE[mode.countsLate](factories.joinStreams);
  if (mode.atOnce) {
    factories.aggregate = atOnce(factories.aggregate);
    factories.joinTable = atOnce(factories.joinTable);
    factories.suppressBuffer = atOnce(factories.suppressBuffer);
  }
  if (mode.forgetsLeavings) {
    factories.subscribeForeign = FORGETFUL_SUBSCRIBE(factories.subscribeForeign);
    factories.answerForeign = FORGETFUL_ANSWER(factories.answerForeign);
  }
  if (mode.oldsOfUpdates) factories.suppressBuffer = oldsOfUpdates(factories.suppressBuffer);
  else factories.suppressBuffer = checkedOlds(factories.suppressBuffer, onFault);
  try {
    return await run();
  } finally {
    Object.assign(factories, { aggregate, joinTable, suppressBuffer, joinStreams, subscribeForeign, answerForeign });
  }
}

interface Around {
  readonly before?: (record: Rec, input: number) => void;
  readonly after?: () => void;
}

/** Does something around each record that comes in. */
function around(operator: Operator, { before, after }: Around): Operator {
  const inputs = operator.inputs.map(
    (take, input): Push =>
      (record) => {
        before?.(record, input);
        take(record);
        after?.();
      },
  );
  return { ...operator, inputs };
}

function atOnce<Kind extends Holding>(own: OperatorFactory<Kind>): OperatorFactory<Kind> {
  return (node, context, next) => {
    const asked: ResumableScan[] = [];
    const operator = own(node, { ...context, scan: (scan) => asked.push(scan) }, next);
    const run = () => {
      for (const scan of asked.splice(0)) while (scan.advance());
    };
    return around(operator, { after: run });
  };
}

function losesOnClose(own: OperatorFactory<'aggregate'>, store: StoreThere): OperatorFactory<'aggregate'> {
  return (node, context, next) => {
    const [updates, finals] = next;
    if (node.emit !== 'close' || updates === undefined || finals === undefined) return own(node, context, next);
    const retentionMs = context.storeSerdes(node.store).retentionMs ?? 0;
    const keptMs = store === 'memory' ? retentionMs - 1 : node.window?.type === 'session' ? Infinity : retentionMs;
    let newest = Number.NEGATIVE_INFINITY;
    const lost = new Set<string>();
    const see: Push = (record) => {
      newest = Math.max(newest, placeOf(node, record));
      updates(record);
    };
    const pass: Push = (record) => {
      const name = JSON.stringify(record.key);
      // one that comes again is none that was lost
      if (placeOf(node, record) >= newest - keptMs || lost.has(name)) finals(record);
      else lost.add(name);
    };
    return own(node, context, [see, pass]);
  };
}

/** By what a store of windows knows how old one is: the start, or the end of a session. */
function placeOf({ window }: NodeOf<'aggregate'>, { key }: Rec): Millis {
  const { start, end } = key as Windowed<unknown>;
  return window?.type === 'session' ? end : start;
}

const headersOfTrigger: Wrap<'aggregate'> = (own) => (node, context, next) => {
  const [updates, finals] = next;
  if (node.emit !== 'close' || updates === undefined || finals === undefined) return own(node, context, next);
  let bytes: Uint8Array | undefined;
  const headed: Push = (record) => {
    if (bytes === undefined || record.headerStart >= 0) {
      finals(record);
      return;
    }
    record.headerBytes = Buffer.from(bytes);
    record.headerStart = 0;
    record.headerEnd = bytes.length;
    finals(record);
    record.clearHeaders();
  };
  const note = ({ headerBytes, headerStart, headerEnd }: Rec) => {
    bytes = headerStart < 0 ? undefined : headerBytes.slice(headerStart, headerEnd);
  };
  return around(own(node, context, [updates, headed]), { before: note });
};

const countsOldSessions: Wrap<'aggregate'> = (own) => (node, context, next) => {
  const [updates, ...others] = next;
  if (node.window?.type !== 'session' || updates === undefined) return own(node, context, next);
  const retentionMs = context.storeSerdes(node.store).retentionMs ?? 0;
  let newest = Number.NEGATIVE_INFINITY;
  const see: Push = (record) => {
    if (!record.valueIsNull) {
      const end = placeOf(node, record);
      newest = Math.max(newest, end);
      if (end <= newest - retentionMs) context.drop('late', record);
    }
    updates(record);
  };
  return own(node, context, [see, ...others]);
};

const LEAST_SEGMENT_MS = 60_000;

const COUNTS_LATE: { readonly [store in StoreThere]: Wrap<'joinStreams'> } = {
  /** Only where the whole segment has gone. */
  disk: (own) => (node, context, next) => {
    const retentionMs = retentionOf(node);
    const segmentMs = Math.max(Math.trunc(retentionMs / 2), LEAST_SEGMENT_MS);
    const segmentOf = (at: Millis) => Math.trunc(at / segmentMs);
    const clocks = clocksOf(node, context);
    let side = 0;
    const drop: OperatorContext['drop'] = (reason, record, times) => {
      const oldest = segmentOf(clocks[side]!.value - retentionMs);
      if (reason !== 'late' || segmentOf(record.timestamp) < oldest) context.drop(reason, record, times);
    };
    const note = (_record: Rec, input: number) => {
      side = input;
    };
    return around(own(node, { ...context, drop }, next), { before: note });
  },
  /** A null value too, which moves time. */
  memory: (own) => (node, context, next) => {
    const clocks = clocksOf(node, context);
    const count = (record: Rec, side: number) => {
      if (!record.valueIsNull || record.keyIsNull) return;
      const clock = clocks[side]!;
      clock.see(record.timestamp);
      if (record.timestamp <= clock.value - retentionOf(node)) context.drop('late', record);
    };
    return around(own(node, context, next), { before: count });
  },
};

function retentionOf({ beforeMs, afterMs, graceMs }: NodeOf<'joinStreams'>): Millis {
  return beforeMs + afterMs + graceMs;
}

function clocksOf(
  { leftStore, rightStore }: NodeOf<'joinStreams'>,
  context: OperatorContext,
): readonly OperatorClock[] {
  return [leftStore, rightStore].map((store) => context.storeClock(store));
}

const oldsOfUpdates: Wrap<'suppressBuffer'> = (own) => (node, context, next) => {
  if (!context.wantsOld) return own(node, context, next);
  const olds = new Map<string, unknown>();
  const out: Push = (record) => {
    record.old = olds.get(JSON.stringify(record.key)) ?? null;
    next[0]!(record);
  };
  const note = (record: Rec) => {
    olds.set(JSON.stringify(record.key), record.old);
  };
  return around(own(node, context, [out]), { before: note });
};

/** Ours: what comes out replaces what the first update replaced that was held back since the key came out last. */
function checkedOlds(own: OperatorFactory<'suppressBuffer'>, onWrong: (words: string) => void) {
  const checked: OperatorFactory<'suppressBuffer'> = (node, context, next) => {
    if (!context.wantsOld || node.until === 'windowClose') return own(node, context, next);
    const priors = new Map<string, unknown>();
    const out: Push = (record) => {
      const name = JSON.stringify(record.key);
      const prior = priors.get(name);
      if (record.old !== prior) onWrong(`${node.id} replaces ${record.old} of ${name}, where ${prior} came out before`);
      priors.delete(name);
      next[0]!(record);
    };
    const note = (record: Rec) => {
      const name = JSON.stringify(record.key);
      if (!priors.has(name)) priors.set(name, record.old);
    };
    return around(own(node, context, [out]), { before: note });
  };
  return checked;
}
