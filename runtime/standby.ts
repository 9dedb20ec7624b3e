import { Follower } from '../checkpoints/checkpoints.ts';
import type { Position, TopicPartition } from '../core/ids.ts';
import type { Fetched, Log } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';
import { changelogsOf, type OpenStateParts, openState } from './open-state.ts';
import type { RunSettings } from './runtime.ts';
import type { TaskSpec } from './stage.ts';

/** How far the state of a task is that is held here, in changelog positions added up over its tables. */
export interface StoreFigures {
  readonly task: string;
  readonly at: Position;
  readonly end: Position;
}

export interface OpenStandbyParts extends OpenStateParts {
  readonly log: Log;
  readonly settings: RunSettings;
}

/** The state of a task that runs in another process, kept behind it. */
export class Standby {
  readonly task: string;
  readonly #parts: OpenStandbyParts;
  readonly #state: TaskState;
  readonly #follower: Follower;

  private constructor(parts: OpenStandbyParts, task: string, state: TaskState, follower: Follower) {
    this.#parts = parts;
    this.task = task;
    this.#state = state;
    this.#follower = follower;
  }

  static async open(parts: OpenStandbyParts, spec: TaskSpec): Promise<Standby> {
    const { log, clock, telemetry, program, index } = parts;
    const state = await openState(parts, spec);
    try {
      const lines = telemetry.log.with({ application: program.plan.name, task: spec.id });
      const start = {
        admin: log.admin,
        state,
        partition: spec.partition,
        now: clock.now(),
        onReset: (table: string, why: string) =>
          lines.warn({ store: table }, `store of a standby emptied and rebuilt from its changelog: ${why}`),
      };
      const changelogs = changelogsOf(program, index, index.stages.get(spec.stage)!);
      return new Standby(parts, spec.id, state, await Follower.open(start, changelogs));
    } catch (thrown) {
      await state.discard().catch(() => undefined);
      throw thrown;
    }
  }

  get figures(): StoreFigures {
    const { at, end } = this.#follower;
    return { task: this.task, at, end };
  }

  get partitions(): readonly (TopicPartition & { readonly position: Position })[] {
    return this.#follower.partitions;
  }

  /** Answers how many records were applied. */
  take(fetched: Fetched): number {
    return this.#follower.take(fetched);
  }

  /** Writes to disk what has waited long enough, or is too much for memory. */
  async writeBack(): Promise<void> {
    const { clock, settings } = this.#parts;
    const { unwrittenSince, unwrittenBytes, overBudget } = this.#state;
    const waits = unwrittenSince !== undefined && clock.now() - unwrittenSince >= settings.writeBackMs;
    if (waits || overBudget || unwrittenBytes >= settings.writeBackBytes) await this.#state.writeBack();
  }

  /** Writes back, and leaves the store as a task that is closed does. */
  close(): Promise<void> {
    return this.#state.close();
  }

  discard(): Promise<void> {
    return this.#state.discard();
  }
}
