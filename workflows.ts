/** What programs write, judge and extend workflow documents with: `@nodeflow/engine/workflows`. */
export { FlowError, isFlowError } from './core/errors.ts';
export type { Json, Millis } from './core/ids.ts';
export { Level, type WorkflowBuilder, type WorkflowOptions, workflow } from './workflows/builder.ts';
export {
  all,
  allDone,
  approval,
  atLeast,
  call,
  child,
  choose,
  delay,
  expression,
  first,
  joinWhen,
  merge,
  port,
  signal,
  step,
  task,
} from './workflows/builder-steps.ts';
export type {
  Failure,
  Handle,
  InputPort,
  Joined,
  NodeOptions,
  Output,
  Source,
  Step,
  Undo,
} from './workflows/builder-types.ts';
export type {
  Behaviour,
  Catalog,
  ExpressionField,
  InlineContext,
  Inputs,
  NodeExample,
  NodeType,
  Outputs,
  TaskContext,
} from './workflows/catalog.ts';
export type {
  DocumentFault,
  EdgeSpec,
  JoinSpec,
  NodeData,
  NodeSessionSpec,
  NodeSpec,
  PolicySpec,
  PortKind,
  PortSpec,
  Ports,
  RetrySpec,
  SessionSpec,
  TriggerSpec,
  WorkflowDocument,
} from './workflows/document.ts';
export {
  canonicalText,
  createLanguage,
  DOCUMENT_SCHEMA,
  type DocumentDiff,
  describeGraph,
  diffDocuments,
  documentDiffLines,
  documentHash,
  type Language,
  type LanguageOptions,
  NodeFailure,
} from './workflows/workflows.ts';
