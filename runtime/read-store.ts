import { KeptNumbers, PROGRESS } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import { MISS, type Step } from '../core/step.ts';
import {
  createStoreQuery,
  type FoundRow,
  OwnClock,
  type StoreContext,
  type StoreQuestion,
  startOfPane,
  unsortedRows,
} from '../operators/operators.ts';
import { type BytesTable, type Table, type TaskState, UNDECIDED } from '../state/state.ts';
import type { Program } from '../topology/topology.ts';
import { storeSerdes } from './context.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** A question to a store of some tasks. It crosses threads. */
export interface StoreRequest {
  readonly store: string;
  /** None of a global table, of which each worker has all. */
  readonly tasks: readonly string[];
  /** `committed`: what committed epochs have left, and nothing of the one at hand. */
  readonly read: 'live' | 'committed';
  readonly question: StoreQuestion;
}

/** A task whose stores are read. */
export interface ReadTask {
  readonly task: { readonly id: string; readonly state: TaskState };
  /** A number of its progress, where there is one. */
  number(name: string): number | undefined;
}

/** Rows in memory that a range may bring into order: more would hold the loop for too long. */
const MOST_TO_SORT = 65_536;

export interface ReadStoreParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly step: Step;
  /** Copies of global tables, by store, and the step in which they are read. */
  readonly globals: { readonly tables: ReadonlyMap<string, Table>; readonly step: Step };
}

/**
 * Asks a store of each task that is named; fails with `query.restoring` where one does not run. Answers `undefined` where
 * committed rows are wanted and a task cannot tell them before its next commit.
 */
export async function readStores(
  parts: ReadStoreParts,
  running: ReadonlyMap<string, ReadTask>,
  request: StoreRequest,
): Promise<readonly FoundRow[] | undefined> {
  const global = parts.globals.tables.get(request.store);
  if (global !== undefined) return readGlobal(parts, global, request);
  const tasks = request.tasks.map((id) => {
    const task = running.get(id);
    if (task === undefined) throw restoring(id, request.store);
    return task;
  });
  const isHere = (task: ReadTask) => running.get(task.task.id) === task;
  try {
    return (await Promise.all(tasks.map((task) => readStore(parts, task, request, () => isHere(task))))).flat();
  } catch (thrown) {
    if (thrown === UNDECIDED) return undefined;
    throw thrown;
  }
}

/** What is in the copy of a global table is committed, and all of it is in memory. */
function readGlobal(parts: ReadStoreParts, table: Table, request: StoreRequest): readonly FoundRow[] {
  const { step } = parts.globals;
  const context = contextOf(
    parts,
    () => table,
    () => undefined,
  );
  checkOrder(context, request, 'a global table');
  step.begin();
  try {
    return createStoreQuery(context, request.store)(request.question);
  } finally {
    step.settle();
  }
}

/**
 * Asks a store of one task, between two steps of its own and in a step that changes nothing. Rows that are not in
 * memory are fetched, and the question is asked again: the answer is of one moment. `isHere` says whether the task
 * is still the one that runs.
 */
async function readStore(
  parts: ReadStoreParts,
  running: ReadTask,
  request: StoreRequest,
  isHere: () => boolean,
): Promise<readonly FoundRow[]> {
  const { step } = parts;
  const { store, question } = request;
  const { state } = running.task;
  const startOf = question.kind === 'window' ? startsOf(parts.index, store) : undefined;
  for (;;) {
    if (!isHere()) throw restoring(running.task.id, store);
    // asked anew each time, since epochs may have been committed meanwhile
    const context = request.read === 'live' ? liveContext(parts, running) : committedContext(parts, running);
    checkOrder(context, request, `task ${running.task.id}`);
    step.begin();
    try {
      const rows = createStoreQuery(context, store, startOf)(question);
      if (step.missed) throw MISS;
      step.settle();
      return rows;
    } catch (thrown) {
      const { missed } = step;
      step.rollback();
      if (!missed) throw thrown;
    }
    await state.fetchWanted().catch((thrown: unknown) => {
      throw isHere() ? thrown : restoring(running.task.id, store);
    });
  }
}

function liveContext(parts: ReadStoreParts, running: ReadTask): StoreContext {
  const { state } = running.task;
  return contextOf(
    parts,
    (name) => state.table(name),
    (name) => running.number(name),
  );
}

function committedContext(parts: ReadStoreParts, running: ReadTask): StoreContext {
  const { state } = running.task;
  if (!state.tellsCommitted) throw UNDECIDED;
  return contextOf(
    parts,
    (name) => state.committedTable(name),
    (name) => KeptNumbers.in(state.committedTable(PROGRESS) as BytesTable, name),
  );
}

/** Where the windows of the store lie by their end, as calendar windows do: what tells their start. */
export function startsOf(index: PlanIndex, store: string): ((end: Millis) => Millis) | undefined {
  const writer = index.nodes.get(index.stores.get(store)!.nodes[0]!);
  return writer?.kind === 'aggregate' && writer.window !== null ? startOfPane(writer.window) : undefined;
}

function contextOf(
  parts: ReadStoreParts,
  table: (name: string) => Table,
  number: (name: string) => number | undefined,
): StoreContext {
  return {
    table,
    storeSerdes: (name) => storeSerdes(parts, name),
    storeClock: (name) =>
      new OwnClock({
        get value() {
          return number(`store/${name}`) ?? -1;
        },
        set: () => undefined,
      }),
  };
}

function checkOrder(context: StoreContext, { store, question }: StoreRequest, place: string): void {
  if (question.kind !== 'range') return;
  const rows = unsortedRows(context, store, question.window);
  if (rows <= MOST_TO_SORT) return;
  const why = `${place} has ${rows} rows of store ${store} in no order, and to sort them would hold it up`;
  throw new FlowError('query.invalid', `${why}; ask for single keys, or keep them in a store of a processor`);
}

export function restoring(task: string, store: string): FlowError {
  return new FlowError(
    'query.restoring',
    `task ${task} is being restored, so store ${store} cannot answer yet; ask again when the application is ready`,
  );
}

/** Names the process that has the task, by its instance id or the id of its member, where the group told of it. */
export function elsewhere(
  { id, partition }: TaskSpec,
  store: string,
  place: 'ended' | { readonly process: string | undefined },
): FlowError {
  const what = `partition ${partition} of store ${store} belongs to task ${id}`;
  let why = 'and the application has ended here; ask the process that runs it';
  if (place !== 'ended') {
    const { process } = place;
    why =
      process === undefined
        ? 'which this process does not run; ask the one that does'
        : `which process ${process} runs; ask that`;
  }
  return new FlowError('query.elsewhere', `${what}, ${why}`);
}

export function hasEnded(store: string): FlowError {
  return new FlowError('query.elsewhere', `store ${store}: the application has ended here; ask a process that runs it`);
}
