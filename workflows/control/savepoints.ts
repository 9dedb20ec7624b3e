import type { Json, Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import {
  type Command,
  continuation,
  type Effect,
  isTerminal,
  keptChildren,
  type Rows,
  unkeptChildren,
} from '../lifecycle/lifecycle.ts';
import { notBegun } from './due.ts';
import { keptRuns, type Leftovers } from './leftovers.ts';
import { StoredRows } from './stored-rows.ts';

/** The answer that nothing is kept any more; what was kept goes as that of runs which are over. */
export const FORGETTING = 'workflow.forgetting';
/** Of what an engine before this one has kept: whoever asked has to take away what there is. */
export const FORGOTTEN = 'workflow.forgotten';

type Start = Extract<Command, { readonly type: 'start' }>;

type Of<Type extends Effect['effect']> = Extract<Effect, { readonly effect: Type }>;

interface GoesOn {
  readonly workflow: string;
  readonly version: string;
  readonly command: Start;
}

/** What an execution has kept at its savepoint. */
export interface Kept {
  /** Runs of its segments, by name; undefined where that was not written down. */
  readonly runs: readonly string[] | undefined;
  /** Executions that its nodes had started, which have kept what they have themselves. */
  readonly children: readonly string[];
  /** Of one that a node had started: the start of what goes on from it. */
  readonly goesOn: GoesOn | null;
}

/**
 * Executions that have ended at a savepoint, and whose segments are there for whoever goes on from them: one alone.
 *
 *     \0 K <execution>    what it has kept; 1 in the form before this one
 */
export class Savepoints {
  readonly #store: KeyValueStore<string, Json>;
  readonly #leftovers: Pick<Leftovers, 'over'>;

  constructor(store: KeyValueStore<string, Json>, leftovers: Pick<Leftovers, 'over'>) {
    this.#store = store;
    this.#leftovers = leftovers;
  }

  /** A savepoint is judged with all that it would take along, whose rows are in the same store. */
  judged(
    command: Command,
    of: { readonly rows: Rows; readonly graph: Graph },
    graphOf: (rows: StoredRows) => Graph,
  ): Command {
    if (command.type !== 'savepoint' || command.inherited === true) return command;
    const children = unkeptChildren(of, (execution) => {
      const rows = new StoredRows(this.#store, execution);
      return rows.header() === undefined ? undefined : { rows, graph: graphOf(rows) };
    });
    return { ...command, children };
  }

  #keep(rows: Rows, graph: Graph): void {
    const { execution, workflow, version, parent } = rows.header()!;
    const nodes = graph.nodes.filter((node) => node.parent < 0 && !node.removed).map(({ id }) => id);
    const start = () => continuation(rows, graph, { version, nodes }).command as Start;
    const kept: Kept = {
      runs: keptRuns(rows, graph),
      children: Object.values(keptChildren(rows, graph)).map((child) => child.execution),
      goesOn: parent === null ? null : { workflow, version, command: start() },
    };
    this.#store.put(nameOf(execution), kept as unknown as Json);
  }

  /** Undefined: nothing is kept of it, or no longer. */
  take(execution: string): Kept | undefined {
    const row = this.#store.get(nameOf(execution)) as 1 | Kept | undefined;
    if (row === undefined) return undefined;
    this.#store.delete(nameOf(execution));
    return row === 1 ? { runs: undefined, children: [], goesOn: null } : row;
  }

  /** The start of what goes on from what a node had started; where nothing is kept of that, the node hears so. */
  takeUp({ from, execution, parent, session }: Of<'take-up'>): Of<'send'> {
    const goesOn = this.take(from.execution)?.goesOn;
    if (goesOn == null) {
      const message = `${from.execution} kept nothing that is there still`;
      return notBegun(execution, parent, { code: 'workflow.no-savepoint', message });
    }
    const { workflow, version } = goesOn;
    const command = { ...goesOn.command, parent, ...(session === null ? {} : { session }) };
    return { effect: 'send', execution, workflow: `${workflow}@${version}`, command };
  }

  /** What it has kept, and what it had started, is of no use to anybody, and goes. */
  forget(execution: string, id: string, at: Millis): Kept | undefined {
    const kept = this.take(execution);
    for (const run of kept?.runs ?? []) this.#leftovers.over(run, execution, id, at);
    for (const child of kept?.children ?? []) this.forget(child, id, at);
    return kept;
  }

  /**
   * What is kept when an execution ends; and what goes, since a node that would have gone on with it has ended, or begins
   * with nothing of before.
   */
  see({ execution, seq, events }: StepRecord, graph: Graph, rows: Rows, at: Millis): void {
    const header = rows.header();
    if (header?.phase === 'ended' && header.savepoint !== null) this.#keep(rows, graph);
    const children = header?.continues?.children;
    if (children === undefined) return;
    for (const event of events) {
      if (event.type !== 'node' || event.attempt > 0 || event.cause === 'savepoint') continue;
      if (!isTerminal(event.to) && event.cause !== 'redriven') continue;
      const child = event.iteration === '' ? children[graph.nodes[event.node]!.id] : undefined;
      if (child !== undefined) this.forget(child.execution, `${execution} ${seq}`, at);
    }
  }
}

function nameOf(execution: string): string {
  return `\0K${execution}`;
}
