import type { NodeKind } from '../topology/plan.ts';
import { createAggregate } from './aggregate.ts';
import { createAggregateTable } from './aggregate-table.ts';
import { createAnswerForeign } from './answer-foreign.ts';
import { createBranch } from './branch.ts';
import { createDeduplicate } from './deduplicate.ts';
import { createDifference } from './difference.ts';
import { createFilter } from './filter.ts';
import { createFilterTable } from './filter-table.ts';
import { createFlatMap } from './flat-map.ts';
import { createFlatMapValues } from './flat-map-values.ts';
import { createForEach } from './for-each.ts';
import { createGroupTable } from './group-table.ts';
import { createJoinForeign } from './join-foreign.ts';
import { createJoinGlobal } from './join-global.ts';
import { createJoinStreams } from './join-streams.ts';
import { createJoinTable } from './join-table.ts';
import { createJoinTables } from './join-tables.ts';
import { createLookup } from './lookup.ts';
import { createMap } from './map.ts';
import { createMapAsync } from './map-async.ts';
import { createMapTable } from './map-table.ts';
import { createMapValues } from './map-values.ts';
import type { OperatorFactory } from './operators.ts';
import { createPass } from './pass.ts';
import { createPeek } from './peek.ts';
import { createProcess } from './process.ts';
import { createRepartition } from './repartition.ts';
import { createSelectKey } from './select-key.ts';
import { createStoreRows } from './store-rows.ts';
import { createSubscribeForeign } from './subscribe-foreign.ts';
import { createSuppressBuffer } from './suppress-buffer.ts';
import { createTo } from './to.ts';

/** Kinds that the task itself serves: it reads, decodes, stamps and pushes. A global table is the worker's. */
type SourceKind = 'source' | 'read' | 'globalTable';

/** A factory for each kind of plan node; a kind without one does not compile. */
export const OPERATORS = {
  aggregate: createAggregate,
  aggregateTable: createAggregateTable,
  answerForeign: createAnswerForeign,
  arm: createPass,
  branch: createBranch,
  deduplicate: createDeduplicate,
  difference: createDifference,
  filter: createFilter,
  filterTable: createFilterTable,
  flatMap: createFlatMap,
  flatMapValues: createFlatMapValues,
  forEach: createForEach,
  groupTable: createGroupTable,
  joinForeign: createJoinForeign,
  joinGlobal: createJoinGlobal,
  joinStreams: createJoinStreams,
  joinTable: createJoinTable,
  joinTables: createJoinTables,
  late: createPass,
  lookup: createLookup,
  map: createMap,
  mapAsync: createMapAsync,
  mapTable: createMapTable,
  mapValues: createMapValues,
  merge: createPass,
  peek: createPeek,
  process: createProcess,
  repartition: createRepartition,
  selectKey: createSelectKey,
  subscribeForeign: createSubscribeForeign,
  suppress: createPass,
  suppressBuffer: createSuppressBuffer,
  table: createStoreRows,
  to: createTo,
  toStream: createPass,
  toTable: createStoreRows,
} satisfies { readonly [Kind in Exclude<NodeKind, SourceKind>]: OperatorFactory<Kind> };
