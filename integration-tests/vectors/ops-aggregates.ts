import type { Duration } from '../../core/duration.ts';
import type { Cogrouped } from '../../topology/topology.ts';
import type { CogroupMade, OpTable, Text } from './op.ts';
import { table } from './ops-basic.ts';
import { text } from './text-functions.ts';

/** Suppression by time or of any table of windows, and cogroups. */
export const OPS_AGGREGATES: OpTable = {
  suppress(statement, build) {
    const from = build.find('table', statement.from);
    if (from === undefined) return undefined;
    const { until, ms, maxRecords, maxBytes, onFull } = statement;
    const store = build.name(statement);
    const bounds = {
      ...(maxRecords === undefined ? {} : { maxRecords }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    };
    const handle = from.handle as unknown as Suppressible;
    const whenFull = onFull === 'shutdown' ? 'fail' : 'emit-early';
    if (until === 'time') return table(handle.suppress({ untilTimeLimit: ms!, store, whenFull, ...bounds }), from.keys);
    // directly on an aggregate no buffer is made without need
    const needless =
      !build.buffers && maxRecords === undefined && maxBytes === undefined && handle.id.startsWith(WINDOWS);
    return table(handle.suppress({ untilWindowCloses: true, ...(needless ? {} : { store }), ...bounds }), from.keys);
  },
  cogroup(statement, build): CogroupMade {
    const other = build.get('group', statement.with);
    const first = build.find('group', statement.from);
    const group = (store: string) =>
      first === undefined
        ? (build.get('cogroup', statement.from).group(store) as AnyCogroup).cogroup(other.group(store), times)
        : first.group(store).cogroup(plus).cogroup(other.group(store), times);
    return { kind: 'cogroup', group, keys: other.keys };
  },
  aggregate(statement, build) {
    const from = build.find('cogroup', statement.from);
    if (from === undefined) return undefined;
    const store = build.name(statement);
    const options = { store, value: build.text, initial: (): Text => '0' };
    const group = from.group(store) as AnyCogroup;
    return table(group.aggregate(options), from.keys);
  },
};

type AnyCogroup = Cogrouped<string, Text, 1>;

/** Begins the ids of nodes that make windows. */
const WINDOWS = 'aggregate:';

interface Suppressible {
  readonly id: string;
  suppress(options: {
    readonly untilTimeLimit?: Duration;
    readonly untilWindowCloses?: true;
    readonly store?: string;
    readonly maxRecords?: number;
    readonly maxBytes?: number;
    readonly whenFull?: 'emit-early' | 'fail';
  }): unknown;
}

const plus = (all: Text, value: Text): Text => `${all}+${text(value)}`;
const times = (all: Text, value: Text): Text => `${all}*${text(value)}`;
