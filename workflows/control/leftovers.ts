import type { Json, Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import { begunSegments, firstOf, type Header, isTerminal, type Rows } from '../lifecycle/lifecycle.ts';
import { segmentName } from '../segments/segments.ts';
import type { ClearedMessage, LeftMessage } from './messages.ts';
import type { Out } from './program.ts';

export interface LeftoversParts {
  readonly store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;
  send(execution: string, out: Out, at: Millis): void;
}

/**
 * What runs of segments leave behind in topics, groups and local stores. When the node that stands for one has its last
 * state, nobody can use that any more: whoever begins again from there begins with nothing. It goes so:
 *
 * 1. The step that says so puts a row, and sends a message, which comes back when the step is committed and not before: a
 *    step that a crash takes back must find the run as it was.
 * 2. The message has a call made, which takes all of it away; after a crash it is made again.
 * 3. What comes of the call deletes the row.
 *
 * A run that begins under the name meanwhile deletes the row as well, and the call does nothing without it.
 *
 *     \0 W <name>    the step in which it was over
 */
export class Leftovers {
  readonly #parts: LeftoversParts;

  constructor(parts: LeftoversParts) {
    this.#parts = parts;
  }

  /** Runs that are over by this step. */
  see(record: StepRecord, graph: Graph, header: Header | undefined, at: Millis): void {
    if (header === undefined) return;
    const { execution, seq, events } = record;
    for (const event of events) {
      if (event.type !== 'node' || !isTerminal(event.to) || event.cause === 'savepoint') continue;
      const { type, id } = graph.nodes[event.node]!;
      // one that was to be taken up from a savepoint, and was not, has not begun here
      const hasRun = event.attempt > 0 || header.continues !== null;
      if (type.behaviour.kind !== 'operator' || !hasRun) continue;
      this.over(segmentName(firstOf(header), id, event.iteration), execution, `${execution} ${seq}`, at);
    }
  }

  over(name: string, execution: string, id: string, at: Millis): void {
    this.#parts.store.put(leftoverName(name), id);
    this.#parts.send(execution, { to: 'internal', message: { left: name, x: execution, id } }, at);
  }

  /** One begins, or goes on, under the name. */
  used(name: string): void {
    const { store } = this.#parts;
    const row = leftoverName(name);
    if (store.get(row) !== undefined) store.delete(row);
  }

  take(message: LeftMessage | ClearedMessage, at: Millis): void {
    const { store, send } = this.#parts;
    const { x, id } = message;
    if ('left' in message) {
      const { left } = message;
      if (store.get(leftoverName(left)) === id) send(x, { to: 'task', task: { clear: left, x, id } }, at);
      return;
    }
    const row = leftoverName(message.cleared);
    if (store.get(row) === id) store.delete(row);
  }
}

/** The row that stands while a run is over and has left something. */
export function leftoverName(name: string): string {
  return `\0W${name}`;
}

/** Runs that whoever goes on from a savepoint takes up, by name. */
export function keptRuns(rows: Rows, graph: Graph): readonly string[] {
  const first = firstOf(rows.header()!);
  return begunSegments(rows, graph).map(({ node, iteration }) => segmentName(first, graph.nodes[node]!.id, iteration));
}
