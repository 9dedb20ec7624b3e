import { FlowError } from '../../core/errors.ts';
import { compactPartition, isCompactionDue } from './compaction.ts';
import type { Context } from './context.ts';
import type { MaintenanceFigures } from './file.ts';
import type { Partition } from './partition.ts';
import { raiseStart, removeBelow, retainedStart } from './retention.ts';

/**
 * Retention and compaction, a round at a time. In a round on the log's clock a partition is compacted where that is due,
 * in one that is asked for wherever it can be.
 */
export class Maintenance {
  readonly #context: Context;
  #stopTimer = () => {};
  #running: Promise<MaintenanceFigures> | undefined;
  #stopped = false;

  constructor(context: Context) {
    this.#context = context;
  }

  start(): void {
    const { clock, options } = this.#context;
    if (options.maintainMs <= 0) return;
    this.#stopTimer = clock.after(options.maintainMs, () => {
      void this.#begin(false)
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopped) this.start();
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopTimer();
    await this.#running?.catch(() => undefined);
  }

  /** One round now, behind the one that may be under way. */
  async round(): Promise<MaintenanceFigures> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#begin(true);
  }

  #begin(isAsked: boolean): Promise<MaintenanceFigures> {
    this.#running ??= this.#round(isAsked).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(isAsked: boolean): Promise<MaintenanceFigures> {
    const sum = { removedSegments: 0, compactedSegments: 0, removedRecords: 0 };
    try {
      for (const topic of this.#context.topics.values()) {
        for (const partition of topic.partitions) {
          if (this.#stopped || topic.deleted) break;
          if (topic.settings.cleanup === 'none') continue;
          await partition.flush();
          sum.removedSegments += await this.#retain(partition);
          const compacts = topic.settings.cleanup.startsWith('compact');
          if (compacts && (isAsked || isCompactionDue(partition, this.#context.clock.now()))) {
            const compacted = await compactPartition(this.#context, partition);
            sum.compactedSegments += compacted.segments;
            sum.removedRecords += compacted.records;
          }
          await partition.closeIdle();
        }
      }
    } catch (thrown) {
      throw thrown instanceof FlowError ? thrown : this.#context.health.fail(thrown, false);
    }
    return sum;
  }

  async #retain(partition: Partition): Promise<number> {
    const { clock } = this.#context;
    const before = partition.segments.length;
    await raiseStart(this.#context, partition, retainedStart(partition, clock.now()));
    await removeBelow(this.#context, partition);
    return Math.max(0, before - partition.segments.length);
  }
}
