import type { Json, Millis } from '../../core/ids.ts';
import type { NodeStatus } from '../../events/events.ts';
import type { Program } from '../../topology/topology.ts';
import type { Graph } from '../graph.ts';
import type { AnyTopic, ExportSpec } from './flows.ts';

/**
 * The data plane: nodes whose ports are `dataset` or `stream`, compiled into plans of operators.
 *
 * A *segment* is a connected set of such nodes; nodes that write and read one topic are connected by it. It compiles into
 * a {@link Program} through the public DSL (each node type adds its part, `nodes/`), so that a document and a program for
 * the same job give the same plan, byte for byte; expressions of the document meet the DSL's `expr()`. To the control
 * plane a segment is one node: RUNNING while it is open, COMPLETED when all its inputs have ended and all results are
 * committed and brought where they belong, FAILED or CANCELLED likewise. Its inner nodes go RUNNING when it opens, each
 * COMPLETED when its own end has passed, and have counters of their own; the rules are told in `lifecycle/lifecycle.ts`.
 *
 * A `value` feeds a segment as a dataset of its items (`map.items`); `collect` makes a value of records, up to a bound.
 * Sinks other than topics are exports of a topic of the run. The step records of a run do not grow with its records:
 * what {@link SegmentTask.progress} is told is the last word on each node, at bounded intervals.
 *
 * - *batch*: topics end where they ended when the run began; the run completes by itself. *realtime*: the input of the
 *   execution is the one record of the source, then comes the end. *streaming*: no end until one is asked for: `end` lets
 *   what is there be the whole, so that windows close and values are collected; `savepoint` stops and keeps everything, and
 *   the next version takes it up under the same name, where `plan diff` allows it.
 * - A run has a name of its own, of its execution and its first node: topics and state are called by it, and a segment
 *   that is run again after a crash meets what is there and goes on. `forgetSegment` takes all of it away, and nothing else
 *   does: the control plane asks for that when the node that stands for the segment has its last state.
 * - Bounded runs share lanes (`log/lanes/lanes.ts`): they make and remove no topics. A streaming run, and one whose document
 *   is `dedicated`, has topics of its own.
 * - A node may start an execution for each record (`op.workflow`). It is called by the run and by the record, whose row is
 *   committed before, so that a call which is made again meets the same one and takes its answer. Nobody remembers it but
 *   the record in flight, and it itself.
 * - What fails on a record, or in a collect or an export, names the node of the document in which that was, and beside it
 *   the node of the plan ({@link failedNode}); so do the dead letters of a run, by the headers `nf.owner` and `nf.node`.
 * - At the end the records that left along each edge are those that arrived, through topics too, and what was written for
 *   a collect or an export is what came out of it: a difference fails the segment. This is held where one process ran a
 *   segment from its start to its end.
 * - What is counted is a part of what is committed: figures are of epochs that have held, nothing in them counts twice, and
 *   they go on over crashes, moves and upgrades. An edge that a version brings has its own from there on.
 */
export interface Segment {
  readonly number: number;
  /** Numbers of its nodes in the graph, the first one standing for it. */
  readonly nodes: readonly number[];
  /** Of the run of one execution: its name makes topics and state of its own. */
  program(run: SegmentRun): SegmentProgram;
}

export interface SegmentRun {
  readonly name: string;
  readonly graph: Graph;
  readonly input: Json;
  /** Values that come in from the control plane, by node id and port: `lines.in`. */
  readonly values: { readonly [port: string]: Json };
  /** Topics that are read in place of those that the document names. */
  readonly topics?: { readonly [name: string]: string };
  /** Of a program that is to run. */
  readonly startForRecord?: StartForRecord;
}

/** An execution that a node of a segment starts for a record. */
export interface RecordStart {
  /** Of the node, in the graph. */
  readonly node: number;
  /** Names the record among those of the node: the same whenever it is started again. */
  readonly record: string;
  readonly workflow: string;
  /** Undefined: the newest. */
  readonly version: string | undefined;
  readonly input: Json;
  readonly timeoutMs: Millis;
}

/**
 * What the execution answers, which runs once, however often it is started. Rejects with its failure. It neither resolves
 * nor rejects where its parent is about to end, or the engine: then nothing is to become of the record.
 */
export type StartForRecord = (start: RecordStart, signal: AbortSignal) => Promise<Json>;

export interface SegmentProgram {
  readonly program: Program;
  /** Whose a node of the plan is, by its id there. */
  readonly owners: ReadonlyMap<string, string>;
  readonly collects: readonly SegmentCollect[];
  readonly exports: readonly SegmentExport[];
}

export interface SegmentTopic {
  readonly node: string;
  readonly topic: AnyTopic;
}

export interface SegmentCollect extends SegmentTopic {
  readonly limit: number;
  readonly newest: boolean;
}

export interface SegmentExport extends SegmentTopic {
  readonly target: ExportSpec;
}

export interface NodeFigures {
  readonly status: Extract<NodeStatus, 'RUNNING' | 'COMPLETED'>;
  readonly in: number;
  readonly out: number;
  /** Passed over by a filter or a join without a partner; of aggregates none. */
  readonly filtered: number;
  /** By reason, such as `late`, `null-key`. */
  readonly dropped: { readonly [reason: string]: number };
  readonly deadLetters: number;
}

export interface SegmentFigures {
  /** When they were counted; of a run each time later than before. */
  readonly at: Millis;
  readonly nodes: { readonly [id: string]: NodeFigures };
  /** Of inner edges, by their ids in the document: what has gone along. */
  readonly edges: { readonly [id: string]: number };
  readonly share: number | undefined;
}

export type { ExportSpec, Flow, SegmentParts } from './flows.ts';
export { failedNode } from './named-failure.ts';
export {
  forgetSegment,
  runOfTopic,
  runSegment,
  SEGMENT_DEAD_LETTERS,
  type SegmentHost,
  type SegmentResult,
  type SegmentTask,
  segmentName,
} from './run-segment.ts';
export { segmentsOf } from './segments-of.ts';
