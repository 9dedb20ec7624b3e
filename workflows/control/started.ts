import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import { type Command, type Effect, startForRecord } from '../lifecycle/lifecycle.ts';
import { idsForRecords, isForRecord } from './execution-ids.ts';
import { headerName, StoredRows } from './stored-rows.ts';

type Start = Extract<Command, { readonly type: 'start' }>;
type Send = Extract<Effect, { readonly effect: 'send' }>;
type TellStarted = Extract<Effect, { readonly effect: 'tell-started' }>;

/**
 * Executions that nodes start for records. They are of the partition of their parent, where what is open has rows: so its
 * rows judge whether one may begin, and nobody keeps a list of those that have.
 */
export class Started {
  readonly #store: KeyValueStore<string, Json>;
  readonly #graphOf: (rows: StoredRows) => Graph;

  constructor(store: KeyValueStore<string, Json>, graphOf: (rows: StoredRows) => Graph) {
    this.#store = store;
    this.#graphOf = graphOf;
  }

  /** The start with what its parent gives; or why it may not begin. `graph` is its own. */
  judged(start: Start, graph: Graph): ReturnType<typeof startForRecord> {
    const rows = new StoredRows(this.#store, start.parent!.execution);
    const header = rows.header();
    const judged = startForRecord(rows, header === undefined ? graph : this.#graphOf(rows), start);
    if (graph.session === undefined || (header?.session ?? null) === null) return judged;
    const why = `it wants the session ${graph.session.name}, and ${rows.execution} holds one, which is not shared by what is started for records`;
    return { code: 'workflow.session-within', why };
  }

  /** The end of one: who starts it reads its last step. */
  isUnheard({ command }: Send, execution: string): boolean {
    return command.type === 'child-ended' && isForRecord(execution);
  }

  /** What those that are open are told. */
  *told({ first, node, iteration, command }: TellStarted, graph: Graph): Iterable<Send> {
    const ids = idsForRecords(first, graph.nodes[node]!.id, iteration);
    for (const execution of this.#open(ids)) yield { effect: 'send', execution, workflow: null, command };
  }

  /** By how their ids begin; what they have started is theirs to tell. */
  *#open(ids: string): Iterable<string> {
    for (const [name] of this.#store.range(ids, `${ids}\u007f`)) {
      const end = name.indexOf('\0');
      const execution = name.slice(0, end);
      if (name === headerName(execution) && !execution.includes('/', ids.length)) yield execution;
    }
  }
}
