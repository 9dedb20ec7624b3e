import { ByteWriter } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { type Position, partitionName, type TaskId, type TopicPartition } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchView } from '../log/batch.ts';
import type { Fetched } from '../log/log.ts';
import { type Budget, type StateBackend, type Table, type TaskState, writeImageHeader } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { MetricSet } from './metrics.ts';
import type { PlanIndex } from './stage.ts';

export interface GlobalTablesParts {
  readonly index: PlanIndex;
  readonly backend: StateBackend;
  readonly clock: Clock;
  /** Their rows count there, and cannot be evicted. */
  readonly budget: Budget;
  readonly telemetry: Telemetry;
}

/** In place of a task in what is counted: a worker has one copy for all its tasks. */
const TASK = 'global';

interface Fed {
  readonly store: string;
  /** Records without a key, which name no row. */
  readonly nullKeys: { value: number };
}

/**
 * The global tables of a worker: whole topics as rows in memory, one copy for all its tasks. They have no changelog and
 * no place on disk: the topic is read anew whenever a worker starts. Rows change between the steps of tasks only.
 */
export class GlobalTables {
  /** By store. */
  readonly tables: ReadonlyMap<string, Table>;
  /** In which they are read from outside of a task. */
  readonly step: Step;
  readonly #state: TaskState;
  readonly #budget: Budget;
  readonly #byTopic: ReadonlyMap<string, Fed>;
  readonly #positions = new Map<string, Position>();
  readonly #view = new BatchView();
  readonly #row = new ByteWriter(256);

  private constructor(state: TaskState, step: Step, budget: Budget, byTopic: ReadonlyMap<string, Fed>) {
    this.#state = state;
    this.step = step;
    this.#budget = budget;
    this.#byTopic = byTopic;
    this.tables = new Map([...byTopic.values()].map(({ store }) => [store, state.table(store)]));
  }

  /** Empty ones: see `GlobalFeed` for what fills them. */
  static async open({ index, backend, clock, budget, telemetry }: GlobalTablesParts): Promise<GlobalTables> {
    const metrics = new MetricSet(telemetry, { application: index.plan.name, task: TASK });
    const byTopic = new Map(
      index.globals.map(({ id: node, topic, store }): [string, Fed] => [
        topic,
        { store, nullKeys: metrics.counter('nodeflow_dropped_records_total', { node, reason: 'null-key' }) },
      ]),
    );
    const step = new Step();
    const state = await backend.open({
      task: TASK as TaskId,
      directory: undefined,
      step,
      clock,
      budget,
      tables: [...byTopic.values()].map(({ store }) => ({
        name: store,
        windowed: false,
        cells: undefined,
        ordered: false,
      })),
      onQuarantine: () => undefined,
    });
    return new GlobalTables(state, step, budget, byTopic);
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** Where a partition goes on. */
  position({ topic, partition }: TopicPartition): Position {
    return this.#positions.get(partitionName(topic, partition)) ?? 0;
  }

  /** Takes what has come of one of the topics; the caller releases it. Records without a key name no row, and are counted. */
  take(fetched: Fetched): void {
    const { topic, partition } = fetched;
    const { store, nullKeys } = this.#byTopic.get(topic)!;
    const from = this.position(fetched);
    const view = this.#view;
    for (let b = 0; b < fetched.starts.length; b++) {
      view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
      for (let i = 0; i < view.count; i++) {
        if (view.positions[i]! < from) continue;
        if (view.keyStarts[i]! < 0) nullKeys.value++;
        else this.#apply(store, view, i);
      }
    }
    this.#state.restored(store, fetched.next);
    this.#positions.set(partitionName(topic, partition), fetched.next);
    this.#checkBound(store);
  }

  #apply(store: string, view: BatchView, i: number): void {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = view;
    const row = this.#row;
    row.clear();
    const absent = valueStarts[i]! < 0;
    if (!absent) {
      // as rows of changelogs, as which records are applied
      writeImageHeader(row, view.timestamps[i]!);
      row.copy(bytes, valueStarts[i]!, valueEnds[i]!);
    }
    this.#state.apply(store, bytes, keyStarts[i]!, keyEnds[i]!, row.bytes, absent ? -1 : 0, row.at);
  }

  #checkBound(store: string): void {
    const { hotBytes } = this.#state.figures;
    const { maxBytes } = this.#budget;
    if (hotBytes <= maxBytes) return;
    throw new FlowError(
      'state.bound',
      `the global tables of a worker take ${hotBytes} bytes, ${store} among them, and the bound of its state is ${maxBytes}: raise state.memory, or read the topic as a table, which is spread over the tasks`,
    );
  }

  get rows(): number {
    return this.#state.figures.hotRows;
  }

  close(): Promise<void> {
    return this.#state.discard();
  }
}
