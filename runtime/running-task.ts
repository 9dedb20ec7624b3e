import type { EpochPart, KeptNumbers, LedgerRow } from '../checkpoints/checkpoints.ts';
import type { SplitReader } from '../connectors/connectors.ts';
import type { Position, TopicPartition } from '../core/ids.ts';
import type { Alignment } from './alignment.ts';
import type { TaskCalls } from './calls.ts';
import type { KeptCounts } from './kept-counts.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { NodeCount } from './node-counts.ts';
import { PaneBounds } from './pane-bounds.ts';
import type { SkipLog } from './skip-log.ts';
import type { SplitInput } from './split-input.ts';
import type { Task } from './task.ts';
import type { TaskTimes } from './task-times.ts';
import type { TopicInput } from './topic-input.ts';

export interface SplitFeed {
  readonly input: SplitInput;
  readonly reader: SplitReader<unknown>;
  reading: boolean;
}

export interface RunningTaskParts {
  readonly task: Task;
  readonly partition: number;
  readonly numbers: KeptNumbers;
  readonly nodes: readonly NodeCount[];
  /** In place of these, where counts are kept. */
  readonly kept: KeptCounts | undefined;
  readonly skips: SkipLog;
  readonly calls: Pick<TaskCalls, 'cut' | 'committed'>;
  readonly mailboxes: Pick<Mailboxes, 'cut' | 'committed'>;
  readonly topics: readonly TopicInput[];
  readonly split: SplitFeed | undefined;
  readonly alignment: Alignment;
  /** The topic of its progress, in whose name the position of a split is committed: a log wants topics that exist. */
  readonly progress: string;
  /** Written with every position, to tell a position of this run from an older one. */
  readonly metadata: string;
  changelog(table: string): string;
  /** Its tables; none where it has no stores, and so nothing that a standby would hold. */
  readonly stored: readonly string[];
  /** Those of them that forget by the pane. */
  readonly paned: readonly string[];
  /** Where its time counts for itself or for others. */
  readonly times: TaskTimes | undefined;
  /** `topics`: those that the task writes no more, where it goes on. None for a task that never ends. */
  readonly ledgerRow: ((topics?: readonly string[]) => Promise<LedgerRow>) | undefined;
}

/** A task with what a worker needs to feed, commit and close it. */
export class RunningTask {
  readonly task: Task;
  readonly topics: readonly TopicInput[];
  readonly split: SplitFeed | undefined;
  readonly nodes: readonly NodeCount[];
  readonly times: TaskTimes | undefined;
  readonly #parts: RunningTaskParts;
  readonly #bounds: ReadonlyMap<string, PaneBounds>;
  #toldTopics = 0;

  constructor(parts: RunningTaskParts) {
    this.task = parts.task;
    this.topics = parts.topics;
    this.split = parts.split;
    this.nodes = parts.nodes;
    this.times = parts.times;
    this.#parts = parts;
    const { state } = parts.task;
    const boundsOf = (table: string) =>
      new PaneBounds({
        panes: () => state.table(table).panes(),
        get position() {
          return state.position(table);
        },
      });
    this.#bounds = new Map(parts.paned.map((table) => [table, boundsOf(table)]));
  }

  /** Where its changelogs are wanted from, once what was done until now is committed. */
  wanted(): readonly (TopicPartition & { readonly position: Position })[] {
    const { partition, changelog } = this.#parts;
    return [...this.#bounds].map(([table, bounds]) => ({
      topic: changelog(table),
      partition,
      position: bounds.look(),
    }));
  }

  /** Where its changelogs end behind what it wrote, added up; `undefined` where it has no stores. */
  get changelogEnd(): number | undefined {
    const { task, stored } = this.#parts;
    if (stored.length === 0) return undefined;
    return stored.reduce((sum, table) => sum + (task.state.position(table) ?? 0), 0);
  }

  /** A number of its progress, where there is one. */
  number(name: string): number | undefined {
    return this.#parts.numbers.value(name);
  }

  /** Its share of the epoch that ends now. */
  part(): EpochPart {
    const { task, numbers, partition, split, progress, metadata, changelog, ledgerRow } = this.#parts;
    this.times?.note();
    this.#parts.kept?.cut();
    numbers.save();
    this.#parts.calls.cut();
    this.#parts.mailboxes.cut();
    return {
      task: task.id,
      state: task.state,
      cut: task.state.cut(),
      partition,
      changelog,
      positions: task.inputs.map((input) => ({
        topic: input === split?.input ? progress : input.topic,
        partition: input.partition,
        position: input.position,
        metadata,
      })),
      ended: ledgerRow !== undefined && task.finished ? () => ledgerRow() : this.#endedTopics(),
    };
  }

  /** The epoch that it had its share in last is committed. */
  committed(): void {
    this.#parts.calls.committed();
    this.#parts.mailboxes.committed();
    this.#parts.kept?.committed();
  }

  #endedTopics(): EpochPart['ended'] {
    const { task, ledgerRow } = this.#parts;
    if (ledgerRow === undefined || task.endedTopics.size === this.#toldTopics) return undefined;
    this.#toldTopics = task.endedTopics.size;
    const topics = [...task.endedTopics];
    return () => ledgerRow(topics);
  }

  /** Writes back what is committed and closes the store. */
  async close(): Promise<void> {
    this.#release();
    await this.split?.reader.close();
    await this.task.state.close();
  }

  /** Forgets everything since the last write-back: its epoch has failed. */
  async discard(): Promise<void> {
    this.#release();
    await this.split?.reader.close();
    await this.task.state.discard();
  }

  #release(): void {
    this.task.close();
    for (const input of this.topics) {
      input.close();
      this.#parts.alignment.leave(input);
    }
    this.#parts.skips.close();
  }
}
