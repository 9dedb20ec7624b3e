import type { OpTable } from './op.ts';
import { OPS_AGGREGATES } from './ops-aggregates.ts';
import { OPS_BASIC } from './ops-basic.ts';
import { OPS_FOREIGN } from './ops-foreign.ts';
import { OPS_GLOBAL } from './ops-global.ts';
import { OPS_JOINS } from './ops-joins.ts';
import { OPS_TABLES } from './ops-tables.ts';
import { OPS_VERSIONED } from './ops-versioned.ts';
import { OPS_WINDOWS } from './ops-windows.ts';

/** All that vectors may say, in the order asked: what a later table knows better stands before it. */
export const OPS: readonly OpTable[] = [
  OPS_JOINS,
  OPS_VERSIONED,
  OPS_TABLES,
  OPS_FOREIGN,
  OPS_GLOBAL,
  OPS_WINDOWS,
  OPS_AGGREGATES,
  OPS_BASIC,
];
