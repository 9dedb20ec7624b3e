import { existsSync } from 'node:fs';
import type { StateBackend } from '../state/state.ts';
import type { Program } from '../topology/topology.ts';
import type { WorkerFigures } from './host.ts';
import type { HeldStore } from './member-state.ts';
import { storeFolder, tableSpecs } from './open-state.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** Folders that are looked at side by side. */
const LANES = 8;

/** The state of tasks that a process has: what its workers hold, and what lies in its folder from earlier. */
export class HeldState {
  readonly #stateful: ReadonlySet<string>;
  readonly #known = new Map<string, HeldStore>();

  constructor(stateful: Iterable<string>) {
    this.#stateful = new Set(stateful);
  }

  /** Looks at the stores that a slot has, before any is opened. */
  async look(
    backend: StateBackend,
    directory: string,
    program: Program,
    index: PlanIndex,
    specs: readonly TaskSpec[],
  ): Promise<void> {
    const there = specs.filter(({ id }) => this.#stateful.has(id) && existsSync(storeFolder(directory, id)));
    const lane = async () => {
      for (let spec = there.shift(); spec !== undefined; spec = there.shift()) {
        const tables = tableSpecs(program, index, index.stages.get(spec.stage)!);
        const positions = await backend.look(storeFolder(directory, spec.id), tables);
        if (positions === undefined) continue;
        const at = [...positions.values()].reduce((sum, position) => sum + position, 0);
        this.#known.set(spec.id, { at, end: at, live: false });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** What the workers hold now; what they let go of stays as it was last seen. */
  take(figures: readonly WorkerFigures[]): void {
    for (const [task, store] of this.#known) this.#known.set(task, { ...store, live: false });
    for (const { stores } of figures) {
      for (const { task, at, end } of stores) {
        if (this.#stateful.has(task)) this.#known.set(task, { at, end, live: true });
      }
    }
  }

  /** For the other members. What workers hold of tasks that are not given to this process any more they let go of. */
  told(isGiven: (task: string) => boolean): ReadonlyMap<string, HeldStore> {
    return new Map([...this.#known].map(([task, store]) => [task, { ...store, live: store.live && isGiven(task) }]));
  }
}
