import type { GlobalTable } from '../../topology/topology.ts';
import type { OpTable, Text } from './op.ts';
import { joined, textFunctionOf } from './text-functions.ts';

/** Global tables, and joins with them. */
export const OPS_GLOBAL: OpTable = {
  globalTable(statement, build) {
    const topic = build.topic(statement.topic!);
    return { kind: 'globalTable', handle: build.topology.globalTable(topic, { store: build.name(statement) }) };
  },
  joinSG(statement, build) {
    const from = build.get('stream', statement.from);
    const table = build.get('globalTable', statement.with).handle as GlobalTable<string, Text>;
    const options = {
      key: textFunctionOf(statement.keyFn),
      merge: (value: Text, row: Text): Text => joined(value, row),
    };
    const join = statement.type === 'left' ? 'leftJoinGlobal' : 'joinGlobal';
    return { ...from, handle: from.handle[join](table, options) };
  },
};
