import { FlowError } from '../core/errors.ts';
import { MISS, type Step } from '../core/step.ts';
import {
  createStoreQuery,
  type FoundRow,
  OwnClock,
  type StoreContext,
  type StoreQuestion,
  unsortedRows,
} from '../operators/operators.ts';
import type { Program } from '../topology/topology.ts';
import type { RunningTask } from './running-task.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** A question to a store of some tasks. It crosses threads. */
export interface StoreRequest {
  readonly store: string;
  readonly tasks: readonly string[];
  /** `committed`: what committed epochs have left, and nothing of the one at hand. */
  readonly read: 'live' | 'committed';
  readonly question: StoreQuestion;
}

/** Rows in memory that a range may bring into order: more would hold the loop for too long. */
const MOST_TO_SORT = 65_536;

export interface ReadStoreParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly step: Step;
}

/** Asks a store of each task that is named; fails with `query.restoring` where one does not run. */
export async function readStores(
  parts: ReadStoreParts,
  running: ReadonlyMap<string, RunningTask>,
  request: StoreRequest,
): Promise<readonly FoundRow[]> {
  const tasks = request.tasks.map((id) => {
    const task = running.get(id);
    if (task === undefined) throw restoring(id, request.store);
    return task;
  });
  const isHere = (task: RunningTask) => running.get(task.task.id) === task;
  const rows = await Promise.all(tasks.map((task) => readStore(parts, task, request, () => isHere(task))));
  return rows.flat();
}

/**
 * Asks a store of one task, between two steps of its own and in a step that changes nothing. Rows that are not in
 * memory are fetched, and the question is asked again: the answer is of one moment. `isHere` says whether the task
 * is still the one that runs.
 */
async function readStore(
  { program, index, step }: ReadStoreParts,
  running: RunningTask,
  { store, question }: StoreRequest,
  isHere: () => boolean,
): Promise<readonly FoundRow[]> {
  const { state } = running.task;
  const found = index.stores.get(store)!;
  const { kind, key, retentionMs } = found;
  const context: StoreContext = {
    table: (name) => state.table(name),
    storeSerdes: () => ({ kind, key: program.code.serde(key), value: program.code.stored(found), retentionMs }),
    storeClock: (name) => new OwnClock({ value: running.number(`store/${name}`) ?? -1, set: () => undefined }),
  };
  if (question.kind === 'range') {
    const rows = unsortedRows(context, store, question.window);
    if (rows > MOST_TO_SORT) {
      const why = `task ${running.task.id} has ${rows} rows of store ${store} in no order, and to sort them would hold it up`;
      throw new FlowError('query.invalid', `${why}; ask for single keys, or keep them in a store of a processor`);
    }
  }
  const ask = createStoreQuery(context, store);
  for (;;) {
    if (!isHere()) throw restoring(running.task.id, store);
    step.begin();
    try {
      const rows = ask(question);
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

export function restoring(task: string, store: string): FlowError {
  return new FlowError(
    'query.restoring',
    `task ${task} is being restored, so store ${store} cannot answer yet; ask again when the application is ready`,
  );
}

export function elsewhere({ id, partition }: TaskSpec, store: string, isOver: boolean): FlowError {
  const why = isOver ? 'the application has ended here' : 'this process does not run it';
  return new FlowError(
    'query.elsewhere',
    `partition ${partition} of store ${store} belongs to task ${id}, and ${why}; ask the process that runs it`,
  );
}
