import type { At, Continues } from '../../events/events.ts';
import type { Graph } from '../graph.ts';
import type { SessionHold } from '../sessions/sessions.ts';
import { begunSegments } from './goes-on.ts';
import type { Header, Rows } from './lifecycle.ts';
import { keyOf, partsOf } from './row.ts';

/** An execution as its rows have it. */
export interface Member {
  readonly rows: Rows;
  readonly graph: Graph;
}

/** An effect: what a node has started, and was kept at a savepoint, goes on from there as another execution. */
export interface TakeUp {
  readonly effect: 'take-up';
  readonly from: Continues;
  readonly execution: string;
  readonly parent: NonNullable<Header['parent']>;
  readonly session: SessionHold | null;
}

/** Executions that one savepoint takes along at most: they are told in one step of the log. */
const MOST_TAKEN = 48;

type Why = string | null;

/**
 * Why a savepoint cannot take along what nodes of an execution have started, by its id; null where it can. `open` gives
 * an execution that has not ended.
 */
export function unkeptChildren(
  of: Member,
  open: (execution: string) => Member | undefined,
): { readonly [execution: string]: Why } {
  const family = new Family(open);
  const found = Object.fromEntries(family.childrenOf(of, false));
  if (family.count <= MOST_TAKEN) return found;
  const why = `one of ${family.count} open within it, and a savepoint takes along ${MOST_TAKEN}: let some end first`;
  return Object.fromEntries(Object.keys(found).map((id) => [id, `${id} is ${why}`]));
}

/** Executions that nodes have started and wait for. */
export function* openChildren(rows: Rows): Iterable<{ readonly at: At; readonly child: string }> {
  for (const [key, { wait }] of rows.allNodes()) {
    if (wait?.on === 'child') yield { at: partsOf(key), child: wait.token };
  }
}

class Family {
  count = 0;
  readonly #open: (execution: string) => Member | undefined;

  constructor(open: (execution: string) => Member | undefined) {
    this.#open = open;
  }

  *childrenOf({ rows }: Member, isWithin: boolean): Iterable<readonly [string, Why]> {
    for (const { at, child } of openChildren(rows)) {
      this.count++;
      const member = this.#open(child);
      const beginsAgain = isWithin || at.iteration !== '';
      const gone = `${child} has just ended: ask again`;
      yield [child, member === undefined ? gone : this.#why(child, member, beginsAgain)];
    }
  }

  #why(id: string, member: Member, beginsAgain: boolean): Why {
    const own = beginsAgain ? whyNotAgain(id, member) : whyNotKept(id, member);
    if (own !== null) return own;
    let found: Why = null;
    for (const [, why] of this.childrenOf(member, beginsAgain)) found ??= why;
    return found;
  }
}

function whyNotAgain(id: string, { rows, graph }: Member): Why {
  const [at] = begunSegments(rows, graph);
  if (at === undefined) return null;
  return `${id}, which lies within a container and would begin again, runs the segment of ${graph.nodes[at.node]!.id}`;
}

function whyNotKept(id: string, { rows, graph }: Member): Why {
  const { phase, mode, ending } = rows.header()!;
  if (phase === 'paused') return `${id} is paused: resume it first`;
  if (phase !== 'running') return `${id} is being cancelled, or fails: wait for its end`;
  if (ending) return `${id} takes what is there as the whole already: wait for its end`;
  const [begun] = begunSegments(rows, graph);
  if (mode !== 'streaming' && begun !== undefined) {
    return `${id} runs the segment of ${graph.nodes[begun.node]!.id} as ${mode}, which ends by itself: wait for that`;
  }
  const why = unkeptSegment(rows, graph);
  return why === undefined ? null : `in ${id} ${why}`;
}

/** Why a segment that is open cannot be kept. */
export function unkeptSegment(rows: Rows, graph: Graph): string | undefined {
  for (const { node, iteration } of begunSegments(rows, graph)) {
    const { id, parent } = graph.nodes[node]!;
    if (rows.node(keyOf(node, iteration))?.checkpoint?.number === 0) {
      return `${id} is to begin anew, and has not run since: ask again when it does`;
    }
    const around = graph.nodes[parent]?.id;
    if (around !== undefined) return `${id} lies within ${around}, which would begin again`;
  }
  return undefined;
}
