import type { Json } from '../../core/ids.ts';
import type { Program } from '../../topology/topology.ts';
import type { Graph } from '../graph.ts';

/**
 * The data plane: nodes whose ports are `dataset` or `stream`, compiled into plans of operators.
 *
 * A *segment* is a connected set of such nodes. It compiles into a {@link Program} through the public DSL, so that a
 * document and a program for the same job give the same plan, byte for byte; expressions of the document meet the DSL's
 * `expr()`. To the control plane a segment is one node: RUNNING while it is open, COMPLETED when the end marker has
 * passed on all partitions, FAILED or CANCELLED likewise. Its inner nodes go RUNNING when it opens, each COMPLETED when its
 * own end has passed, and have counters of their own: records in, out, filtered, late, dead-lettered, by edge. At the end
 * records in equal records out, filtered, dead-lettered and in windows, for each edge; a difference fails the segment.
 *
 * A `value` port feeds a segment as a source of one record, or as a `dataset` of its items (`map.items`); `collect` makes
 * a value of a dataset, up to a bound. The step records of a run do not grow with its records.
 *
 * - *batch*: sources end; the run completes by itself. *realtime*: one record, then the end. *streaming*: no end until
 *   drained; a savepoint is a drain whose state the next version takes up (`plan diff` says whether it can).
 */
export interface Segment {
  readonly number: number;
  /** Numbers of its nodes in the graph, the first one standing for it. */
  readonly nodes: readonly number[];
  /** Of the run of one execution: its name makes topics and state of its own. */
  program(run: SegmentRun): Program;
}

export interface SegmentRun {
  readonly name: string;
  readonly graph: Graph;
  readonly input: Json;
  /** Values that come in from the control plane, by node id and port. */
  readonly values: { readonly [port: string]: Json };
}

export interface SegmentFigures {
  readonly nodes: {
    readonly [id: string]: {
      readonly in: number;
      readonly out: number;
      readonly dropped: { readonly [reason: string]: number };
    };
  };
  readonly share: number | undefined;
}
