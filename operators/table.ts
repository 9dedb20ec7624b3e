import type { NodeKind } from '../topology/plan.ts';
import { createAggregate } from './aggregate.ts';
import { createBranch } from './branch.ts';
import { createFilter } from './filter.ts';
import { createFlatMap } from './flat-map.ts';
import { createJoinTable } from './join-table.ts';
import { createMap } from './map.ts';
import { createMapValues } from './map-values.ts';
import type { OperatorFactory } from './operators.ts';
import { createPass } from './pass.ts';
import { createPeek } from './peek.ts';
import { createProcess } from './process.ts';
import { createSelectKey } from './select-key.ts';
import { createRepartition, createTo } from './sinks.ts';
import { createStoreRows } from './store-rows.ts';

/** Kinds that the task itself serves: it reads, decodes, stamps and pushes. */
type SourceKind = 'source' | 'read';

/** A factory for each kind of plan node; a kind without one does not compile. */
export const OPERATORS = {
  aggregate: createAggregate,
  arm: createPass,
  branch: createBranch,
  filter: createFilter,
  flatMap: createFlatMap,
  joinTable: createJoinTable,
  map: createMap,
  mapValues: createMapValues,
  merge: createPass,
  peek: createPeek,
  process: createProcess,
  repartition: createRepartition,
  selectKey: createSelectKey,
  suppress: createPass,
  table: createStoreRows,
  to: createTo,
  toStream: createPass,
  toTable: createStoreRows,
} satisfies { readonly [Kind in Exclude<NodeKind, SourceKind>]: OperatorFactory<Kind> };
