import { avro, topology as defineTopology, string, topic, tumbling, windowed } from '../../index.ts';
import { chained } from './input.ts';

/**
 * The job under test. Each output tells of one way to go wrong: the copy of records lost, doubled or out of order; the
 * chain, whose every value depends on all before it, of a store that missed or repeated one change; windows of clocks
 * and closings; the join of a table; the regrouping of what lies between two stages.
 */
export const PARTITIONS = 4;
export const WINDOW_MS = 10_000;
export const GRACE_MS = 5000;

const long = <const N extends string>(name: N) => ({ name, type: 'long' }) as const;
const event = avro({
  type: 'record',
  name: 'Event',
  fields: [long('id'), { name: 'group', type: 'string' }, long('amount')],
});
const row = avro({ type: 'record', name: 'Row', fields: [long('factor')] });
const link = avro({ type: 'record', name: 'Link', fields: [long('count'), long('hash'), long('id')] });
const sum = avro({ type: 'record', name: 'Sum', fields: [long('count'), long('total'), long('least'), long('most')] });
const match = avro({ type: 'record', name: 'Match', fields: [long('id'), long('product')] });
const member = avro({ type: 'record', name: 'Member', fields: [long('count'), long('id')] });

/**
 * The job under a name of its own, with topics of its own: runs do not meet each other. `onRecord` is called for every
 * record, perhaps several times.
 */
export function defineJob(name: string, onRecord: () => void = () => undefined) {
  const KEYED = { key: string(), partitions: PARTITIONS } as const;
  const input = topic(`${name}-input`, { ...KEYED, value: event });
  const table = topic(`${name}-table`, { ...KEYED, value: row });
  const copy = topic(`${name}-copy`, { ...KEYED, value: event });
  const chain = topic(`${name}-chain`, { ...KEYED, value: link });
  const windows = topic(`${name}-windows`, {
    key: windowed(string(), WINDOW_MS),
    value: sum,
    partitions: PARTITIONS,
  });
  const joined = topic(`${name}-joined`, { ...KEYED, value: match });
  const regrouped = topic(`${name}-regrouped`, { key: string(), value: member, partitions: 2 });

  const topology = defineTopology(name);
  const stream = topology.stream(input);

  stream.to(copy);

  stream
    .groupByKey()
    .aggregate({
      store: 'chain',
      value: link,
      initial: () => ({ count: 0, hash: 0, id: -1 }),
      add(state, { id }) {
        onRecord();
        state.count++;
        state.hash = chained(state.hash, id);
        state.id = id;
      },
    })
    .toStream()
    .to(chain);

  stream
    .groupByKey()
    .window(tumbling(WINDOW_MS, { grace: GRACE_MS }))
    .aggregate({
      store: 'windows',
      value: sum,
      initial: () => ({ count: 0, total: 0, least: Number.MAX_SAFE_INTEGER, most: 0 }),
      add(state, { amount }) {
        state.count++;
        state.total += amount;
        state.least = Math.min(state.least, amount);
        state.most = Math.max(state.most, amount);
      },
    })
    .suppress()
    .toStream()
    .to(windows);

  stream
    .joinTable(topology.table(table, { store: 'table' }), {
      merge: ({ id, amount }, { factor }) => ({ id, product: amount * factor }),
    })
    .to(joined);

  stream
    .groupBy(({ group }) => group, { name: 'by-group', key: string(), partitions: 2 })
    .aggregate({
      store: 'groups',
      value: member,
      initial: () => ({ count: 0, id: -1 }),
      add(state, { id }) {
        state.count++;
        state.id = id;
      },
    })
    .toStream()
    .to(regrouped);
  return { name, topology, topics: { input, table, copy, chain, windows, joined, regrouped } };
}

export type Job = ReturnType<typeof defineJob>;
