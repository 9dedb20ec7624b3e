import { string } from '../schemas/schemas.ts';
import { topology as defineTopology, topic } from '../topology/topology.ts';

/** Events that name rows of a global table, over counts that differ. */
const TEXTS = { key: string(), value: string() } as const;
export const rows = topic('rows', { ...TEXTS, partitions: 3 });
export const events = topic('events', { ...TEXTS, partitions: 4 });
export const out = topic('out', { ...TEXTS, partitions: 4 });

export const topology = defineTopology('global');
const table = topology.globalTable(rows, { store: 'rows' });
topology
  .stream(events)
  .leftJoinGlobal(table, { key: (value) => value, merge: (value, row) => `${value}:${row}` })
  .to(out);
