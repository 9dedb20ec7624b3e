import type { Position } from '../core/ids.ts';
import { loadLibrary } from './rocksdb/library.ts';
import { lookAtRocks, openRocks } from './rocksdb/open.ts';
import type { StateBackend, TableSpec, TaskState, TaskStateOptions } from './state.ts';
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
  readonly #options: StateBackendOptions;
  readonly #open = new Set<TaskState>();
  #told = false;

  constructor(options: StateBackendOptions) {
    this.#options = options;
  }

  get onDisk(): boolean {
    return typeof loadLibrary() === 'object';
  }

  async look(directory: string, tables: readonly TableSpec[]): Promise<ReadonlyMap<string, Position> | undefined> {
    const library = loadLibrary();
    return typeof library === 'object' ? lookAtRocks(library, directory, tables) : undefined;
  }

  async open(options: TaskStateOptions): Promise<TaskState> {
    const library = options.directory === undefined ? undefined : loadLibrary();
    if (typeof library === 'string' && !this.#told) {
      this.#told = true;
      this.#options.onUnavailable?.(library);
    }
    const disk =
      typeof library === 'object'
        ? await openRocks(library, options.directory!, options.tables, options.onQuarantine)
        : undefined;
    const state: TaskState = new HotTaskState(options, disk, () => this.#open.delete(state));
    this.#open.add(state);
    return state;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((state) => state.close()));
  }
}
