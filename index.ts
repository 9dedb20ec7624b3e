/** The public interface of `@nodeflow/engine`. Whatever is not named here may change at any time. */
export { configuredLog } from './cli/engine.ts';
export type { ServedWorkflows } from './cli/load-workflows.ts';
export { showProgress } from './cli/progress.ts';
export { runMain } from './cli/run-main.ts';
export {
  type Engine,
  type EngineOptions,
  type KafkaSettings,
  openEngine,
  type RunApplicationOptions,
  type Running,
  run,
} from './cli/wire.ts';
export { openWorkflowService, type WorkflowService, type WorkflowServiceOptions } from './cli/workflow-service.ts';
export type { World } from './cli/world.ts';
export {
  csvFile,
  generator,
  parquetFile,
  type Source,
  type SourceBatch,
  type Split,
  type SplitReader,
} from './connectors/connectors.ts';
export {
  type Exported,
  type ExportOptions,
  type ExportRow,
  type ExportSource,
  type ExportTarget,
  type ExportWriter,
  httpEndpoint,
  jsonLinesFile,
  postgresTable,
  runExport,
} from './connectors/export.ts';
export type { Duration } from './core/duration.ts';
export { type ErrorCode, type ErrorKind, FlowError, isFlowError } from './core/errors.ts';
export type { Json, Millis, Position, TopicPartition } from './core/ids.ts';
export {
  type Compiled,
  type CompileOptions,
  compileExpression,
  type Expression,
  type ExpressionFault,
  type ExprType,
  printType,
  typeOfAvroSchema,
  typeOfJsonSchema,
} from './expressions/expressions.ts';
export type {
  Alarm,
  KeyValueStore,
  ProcessContext,
  Processor,
  ProcessorSupplier,
  Session,
  SessionStore,
  Version,
  VersionedStore,
  WindowStore,
} from './operators/operators.ts';
export {
  bindTopic,
  type Health,
  type LetterPage,
  type LetterRecord,
  type Outcome,
  openRecordLetters,
  type Place,
  type Progress,
  type Query,
  type RangeOptions,
  type ReadAt,
  type ReadOptions,
  type RecordChange,
  type RecordLetter,
  type RecordLetterQuery,
  type RecordLetters,
  type RedriveMark,
  type Redriven,
  type RedriveOptions,
  type RedriveOutcome,
  type RestoreProgress,
  type Run,
  type RunSettings,
  readTopic,
  resetApplication,
  type StoreQuery,
  type TimesOptions,
  type WindowRow,
} from './runtime/runtime.ts';
export {
  type AvroSchema,
  avro,
  bytes,
  type DistinctCount,
  distinctRow,
  double,
  type FromAvro,
  int32,
  int64,
  json,
  type Mean,
  meanRow,
  type Quantiles,
  quantileRow,
  type RegisteredOptions,
  type RegistryOptions,
  registered,
  type SchemaRegistry,
  type Serde,
  type SubjectStrategy,
  sessionWindowed,
  string,
  type TopItem,
  toPlain,
  topRow,
  type Windowed,
  windowed,
} from './schemas/schemas.ts';
export { createTelemetry, type Telemetry, type TelemetryOptions } from './telemetry/telemetry.ts';
export type { AbsurdTimePolicy, FailurePolicy, Plan, PlanNode } from './topology/plan.ts';
export * from './topology/topology.ts';
export type { InlineContext, NodeType, TaskContext } from './workflows/catalog.ts';
export type { WorkflowDocument } from './workflows/document.ts';
export {
  createLanguage,
  type ExecutionView,
  type Language,
  type LanguageOptions,
  type LetterChange,
  type LetterKind,
  type LetterQuery,
  type Letters,
  type LetterView,
  NodeFailure,
  type OutputView,
  openWorkflows,
  type RedriveLetter,
  type RedriveMany,
  type RedrivenLetter,
  type RedrivenPage,
  type ShownBytes,
  type WholeLetter,
  type Workflows,
} from './workflows/workflows.ts';
