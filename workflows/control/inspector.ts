import { FlowError } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import type { Run } from '../../runtime/runtime.ts';
import type { Graph } from '../graph.ts';
import type { Language } from '../language.ts';
import type { Lifecycle, PatchOp } from '../lifecycle/lifecycle.ts';
import type { ExecutionView } from '../workflows.ts';
import type { Catalogue } from './catalogue.ts';
import type { GraphCache } from './definition-rows.ts';
import { Histories, type HistoryOptions } from './history.ts';
import { publishedGraph } from './known-graphs.ts';
import { type Folded, fold, MemoryStore } from './memory-rows.ts';
import { type OwnedLook, OwnedRows } from './owned-rows.ts';
import { StoredRows } from './stored-rows.ts';
import { viewOf } from './views.ts';

export interface InspectorParts {
  readonly log: Log;
  readonly language: Language;
  readonly lifecycle: Lifecycle;
  readonly graphs: GraphCache;
  readonly catalogue: Catalogue;
  readonly run: Run;
  readonly partitions: number;
  place?(execution: string): Promise<{ readonly first: Position } | undefined>;
}

/**
 * Looks at executions: the rows of those that run and are of this process, the step records of those that have ended or
 * are of another process.
 */
export class Inspector {
  readonly #parts: InspectorParts;
  readonly #owned: OwnedRows;
  readonly #histories: Histories;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
    this.#owned = new OwnedRows(parts.run, parts.partitions);
    this.#histories = new Histories(parts);
  }

  async view(execution: string): Promise<ExecutionView | undefined> {
    const found = await this.now(execution);
    return found === undefined ? undefined : viewOf(found);
  }

  async viewAt(execution: string, seq: number): Promise<ExecutionView | undefined> {
    const found = await this.at(execution, seq);
    return found === undefined ? undefined : viewOf(found);
  }

  async now(execution: string): Promise<Folded | undefined> {
    const found = await this.#owned.committed(execution);
    const rows = new StoredRows(new MemoryStore(found), execution);
    const header = rows.header();
    if (header === undefined) return this.at(execution, Number.POSITIVE_INFINITY);
    const base = await this.#base(header.definition);
    const graph = this.#parts.graphs.of(base, execution, header.revision, () => rows.patches());
    return { rows, graph, output: null, endedAt: null };
  }

  async at(execution: string, seq: number): Promise<Folded | undefined> {
    const records = await this.history(execution, seq);
    return this.fold(
      execution,
      records.filter((each) => each.seq <= seq),
    );
  }

  /** Undefined where another process owns it, or nobody yet. */
  look(execution: string): Promise<OwnedLook | undefined> {
    return this.#owned.look(execution);
  }

  async fold(execution: string, records: readonly StepRecord[]): Promise<Folded | undefined> {
    const [first] = records;
    if (first === undefined || !first.events.some(({ type }) => type === 'started')) return undefined;
    return fold(execution, records, {
      lifecycle: this.#parts.lifecycle,
      base: await this.#base(first.definition),
      patch: (graph, ops) => this.#patched(graph, ops),
    });
  }

  /** As far as that step, where one is named: what is behind it may be left out. */
  async history(execution: string, seq = Number.POSITIVE_INFINITY): Promise<readonly StepRecord[]> {
    const look = await this.look(execution);
    // what this process has begun is decided soon; of a process that was killed it may take long
    return this.records(execution, { startedAt: look?.startedAt, decided: look !== undefined, seq });
  }

  /** The same where it was looked at already. */
  records(execution: string, options: HistoryOptions): Promise<readonly StepRecord[]> {
    return this.#histories.read(execution, options);
  }

  #patched(graph: Graph, ops: readonly PatchOp[]): Graph {
    const next = this.#parts.language.patch(graph, ops);
    if (!('nodes' in next)) throw new Error(`a patch does not apply any more: ${next[0]?.message}`);
    return next;
  }

  #base(hash: string): Promise<Graph> {
    return publishedGraph(this.#parts.catalogue, this.#parts.graphs, hash);
  }
}

export function unknownExecution(id: string): FlowError {
  return new FlowError('workflow.unknown-execution', `there is no execution ${id}; check the id`);
}
