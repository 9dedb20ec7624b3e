import type { Json, Millis } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import { type Effect, PROCESS_LOST } from '../lifecycle/lifecycle.ts';
import type { CallMessage, TaskMessage } from './messages.ts';
import type { Slots } from './slots.ts';
import type { TaskCalls } from './task-calls.ts';

/** The process that last granted a slot in a partition. */
const LAST_CALLER = '\0C';
/** For so long behind the first grant of a process in a partition its calls wait until their step is committed. */
const FIRST_MS: Millis = 1000;
/** And where another process had called tasks before. */
const BEHIND_ANOTHER_MS: Millis = 30_000;

/**
 * Which process calls the tasks of a partition, so that one which ends while a task runs is known by it: the place of a
 * task that has a slot names the process that calls it, or none.
 *
 * - A slot is granted in the name of the process that grants it; of what has lost its process before, in no name, until
 *   it is really called (`take`), for it may be kept apart from others first.
 * - A process that goes on while it calls a task no more, since it stops or the partition went elsewhere, says so
 *   (`leave`). What it says stands in the log before what the next one says.
 * - Who takes a call over says `take`, or `wait`. Where another process is named still, that one has ended without a
 *   word: the attempt has failed, which whoever asked reports. One that fell silent for so long that its partitions were
 *   taken from it is as one that has ended: what it says comes too late.
 *
 * A call that is made before its step is committed would not be known where it ends its process. So calls are *careful*
 * at first, and for a longer time behind another process: they wait until the log has taken that they are made. Steps
 * that were not committed are the first that are done again, so that what ends processes then is a careful call. Where
 * it was a command of the process itself that led to it, nothing is done again before somebody sends that anew.
 */
export class Callers {
  readonly #parts: CallersParts;
  #carefulUntil: Millis = 0;

  constructor(parts: CallersParts) {
    this.#parts = parts;
  }

  /** The call that a step asks for. */
  announced(execution: string, effect: Extract<Effect, { effect: 'run' }>, graph: Graph, at: Millis): TaskMessage {
    const { node, iteration, attempt, mode, inputs, config, resume, lost, ending, first } = effect;
    const { type, id } = graph.nodes[node]!;
    const task: TaskMessage = {
      ...{ x: execution, type: `${type.name}@${type.version}`, node: id, n: node, i: iteration, a: attempt, m: mode },
      ...{ inputs, config, resume },
      ...(lost > 0 ? { l: lost } : {}),
      ...(ending ? { e: true as const } : {}),
      ...(first === execution ? {} : { o: first }),
      at,
    };
    if (lost > 0) this.#parts.slots.setCaller({ execution, node, iteration, attempt }, undefined);
    this.#parts.calls.announce(task, this.#isCareful(at));
    return task;
  }

  /** Why the process may not make the call; undefined where it may, or where it has left it. */
  judge({ x, call }: CallMessage): { readonly code: string; readonly why: string } | undefined {
    const { slots } = this.#parts;
    const holder = { execution: x, node: call.n, iteration: call.i, attempt: call.a };
    const place = slots.granted(holder);
    if (place === undefined) return { code: 'workflow.stale', why: `the attempt of ${x} was given up` };
    if (call.do === 'leave') {
      if (place.by === call.process) slots.setCaller(holder, undefined);
      return undefined;
    }
    if (place.by !== undefined && place.by !== call.process) {
      return { code: PROCESS_LOST, why: 'the process that called it ended while it ran' };
    }
    slots.setCaller(holder, call.do === 'take' ? call.process : undefined);
    return undefined;
  }

  #isCareful(at: Millis): boolean {
    const { store, calls } = this.#parts;
    const last = store.get(LAST_CALLER);
    if (last !== calls.process) {
      store.put(LAST_CALLER, calls.process);
      this.#carefulUntil = at + (last === undefined ? FIRST_MS : BEHIND_ANOTHER_MS);
    }
    return at < this.#carefulUntil;
  }
}

export interface CallersParts {
  readonly store: KeyValueStore<string, Json>;
  readonly slots: Slots;
  readonly calls: Pick<TaskCalls, 'announce' | 'process'>;
}
