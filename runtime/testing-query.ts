import type { GlobalTables } from './global-tables.ts';
import { createQuery, type Query } from './query.ts';
import { readStores } from './read-store.ts';
import type { DriverParts, DriverTask } from './testing-task.ts';

/** What a driver has at the moment. */
export interface DriverState {
  readonly tasks: readonly DriverTask[];
  readonly globals: GlobalTables | undefined;
}

/** Reads the stores of a test as those of a run are read. Where each call commits, what is live is committed. */
export function driverQuery(parts: DriverParts, onDemand: boolean, now: () => DriverState): Query {
  const { program, index, step } = parts;
  const specs = now().tasks.map(({ id, stage, partition }) => ({ id, stage: stage.id, partition, split: undefined }));
  return createQuery({
    ...{ program, index, specs },
    async ask(request) {
      const { tasks, globals } = now();
      const running = new Map(tasks.map((each) => [each.id, each]));
      const copies = { tables: globals?.tables ?? new Map(), step: globals?.step ?? step };
      const read = onDemand ? request.read : 'live';
      return (await readStores({ program, index, step, globals: copies }, running, { ...request, read }))!;
    },
  });
}
