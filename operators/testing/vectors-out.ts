import type { VectorOp } from './vector-program.ts';

/** Ops of the vectors for which there is no node kind yet, or only for some of their options. */
const MISSING_OPS: { readonly [op: string]: string } = {
  joinSS: 'stream-stream join',
  joinTT: 'table-table join',
  joinFK: 'foreign-key join',
  joinSG: 'stream-global join',
  globalTable: 'global table',
  storeOps: 'operations on a store without a topology',
};

export interface VectorShape {
  readonly id: string;
  readonly topology?: readonly VectorOp[];
  readonly error?: unknown;
  readonly expectTopology?: unknown;
}

/** Why a vector is not run here, or `undefined` where it is. */
export function whyOut(vector: VectorShape): string | undefined {
  if (vector.error !== undefined) return 'refusals are tested in topology/validate';
  if (vector.expectTopology !== undefined) return 'shapes of topologies are tested in topology';
  const tables = new Set<string | undefined>();
  for (const op of vector.topology ?? []) {
    const reason = whyOpOut(op, tables.has(op.from));
    if (reason !== undefined) return reason;
    if (op.op === 'table') tables.add(op.id);
  }
  return undefined;
}

function whyOpOut(op: VectorOp, fromTable: boolean): string | undefined {
  const missing = MISSING_OPS[op.op];
  if (missing !== undefined) return missing;
  if (op.versionedMs !== undefined) return 'versioned table';
  if (op.op === 'joinST' && op.grace !== undefined) return 'stream-table join with grace';
  if (op.op === 'suppress' && op.until !== 'windowClose') return 'suppression by time or size';
  if (op.op === 'groupBy' && fromTable) return 'aggregate of a table, with subtraction';
  if ((op.op === 'mapValues' || op.op === 'filter') && fromTable) return 'mapValues and filter of a table';
  if (op.op !== 'aggregate' || op.window === undefined) return undefined;
  if (op.window.type !== 'tumbling' && op.window.type !== 'hopping') return `${op.window.type} windows`;
  return undefined;
}
