import type { NodeType } from '../catalog.ts';
import { collect } from './collect.ts';
import { mapItems } from './map-items.ts';
import { opAggregate } from './op-aggregate.ts';
import { opFilter } from './op-filter.ts';
import { opJoin } from './op-join.ts';
import { opMap } from './op-map.ts';
import { opSelectKey } from './op-select-key.ts';
import { opTable } from './op-table.ts';
import { opWindows } from './op-window.ts';
import { opWorkflow } from './op-workflow.ts';
import { sinkFile } from './sink-file.ts';
import { sinkHttp } from './sink-http.ts';
import { sinkPostgres } from './sink-postgres.ts';
import { sinkTopic } from './sink-topic.ts';
import { sourceFile } from './source-file.ts';
import { sourceGenerator } from './source-generator.ts';
import { sourceTopic } from './source-topic.ts';

/** The types of the data plane, in the order of the documentation. */
export const DATA_PLANE_TYPES: readonly NodeType[] = [
  sourceTopic,
  sourceFile,
  sourceGenerator,
  mapItems,
  opMap,
  opFilter,
  opSelectKey,
  ...opWindows,
  opAggregate,
  opTable,
  opJoin,
  opWorkflow,
  collect,
  sinkTopic,
  sinkFile,
  sinkPostgres,
  sinkHttp,
];
