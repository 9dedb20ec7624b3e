import type { KeptNumbers } from '../checkpoints/checkpoints.ts';
import type { Bytes } from '../core/bytes.ts';
import { type Position, partitionName } from '../core/ids.ts';
import type { StateBackend, TaskState, TaskStateOptions } from '../state/state.ts';

/** A record of a changelog; without a value it deletes. */
interface Change {
  readonly table: string;
  readonly key: Bytes;
  readonly value: Bytes | undefined;
}

/** What the tasks of a test have committed: the changelogs of their tables, and the positions of their inputs. */
export class DriverStores {
  readonly #changelogs = new Map<string, Change[]>();
  readonly #positions = new Map<string, Position>();

  /** Opens the state of a task as its changelog has it. */
  async open(backend: StateBackend, options: TaskStateOptions): Promise<TaskState> {
    const state = await backend.open(options);
    const changes = this.#changelogs.get(options.task) ?? [];
    for (const { table, key, value } of changes) {
      if (value === undefined) state.apply(table, key, 0, key.length, key, -1, -1);
      else state.apply(table, key, 0, key.length, value, 0, value.length);
    }
    for (const { name } of options.tables) state.restored(name, changes.length);
    return state;
  }

  /** Where an input of a task goes on. */
  position(task: string, topic: string, partition: number): Position {
    return this.#positions.get(`${task} ${partitionName(topic, partition)}`) ?? 0;
  }

  commit(
    task: string,
    state: TaskState,
    numbers: KeptNumbers,
    inputs: readonly { readonly topic: string; readonly partition: number; readonly position: Position }[],
  ): void {
    numbers.save();
    const changes = this.#changelogs.get(task) ?? [];
    this.#changelogs.set(task, changes);
    const tables = new Set<string>();
    const cut = state.cut();
    cut.forEach((table, _timestamp, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      tables.add(table);
      changes.push({
        table,
        key: Buffer.from(bytes.subarray(keyStart, keyEnd)),
        value: valueStart < 0 ? undefined : Buffer.from(bytes.subarray(valueStart, valueEnd)),
      });
    });
    state.committed(cut, new Map([...tables].map((table) => [table, changes.length])));
    for (const { topic, partition, position } of inputs) {
      this.#positions.set(`${task} ${partitionName(topic, partition)}`, position);
    }
  }
}
