import assert from 'node:assert/strict';
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { type Millis, partitionName } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';

/** A log that refuses appends to some partitions, as brokers do that have too few copies of one in step. */
export interface Poisoned {
  readonly log: Log;
  /** By `topic/partition`. */
  readonly refused: Set<string>;
  /** Those that refuse the next one only. */
  readonly refusedOnce: Set<string>;
  /** Those of which nothing is told, so that what has its state there cannot be opened. */
  readonly silent: Set<string>;
  /** How often one was refused, or was silent. */
  fired: number;
  /** Of the producers that were opened. */
  readonly ids: (string | undefined)[];
}

export function poisonedLog(inner: Log): Poisoned {
  const poisoned: Poisoned = {
    log: inner,
    refused: new Set(),
    refusedOnce: new Set(),
    silent: new Set(),
    fired: 0,
    ids: [],
  };
  const bounds = inner.admin.bounds.bind(inner.admin);
  inner.admin.bounds = async (name, partition) => {
    const at = partitionName(name, partition);
    if (!poisoned.silent.has(at)) return bounds(name, partition);
    poisoned.fired++;
    throw new FlowError('log.timeout', `no answer to the bounds of ${at}`);
  };
  const open = inner.producer.bind(inner);
  inner.producer = async (options) => {
    poisoned.ids.push(options.transactionalId);
    const producer = await open(options);
    const append = producer.append.bind(producer);
    producer.append = async (name, partition, batch) => {
      const at = partitionName(name, partition);
      if (!poisoned.refused.has(at) && !poisoned.refusedOnce.delete(at)) return append(name, partition, batch);
      poisoned.fired++;
      throw new FlowError('log.timeout', `no answer to an append to ${at}`);
    };
    return producer;
  };
  return poisoned;
}

export const PARTITIONS = 3;

/** Counts the records of each key: a task for each partition, whose outputs and state stand in partitions of its own. */
export class Counting {
  readonly name: string;
  readonly clock: Clock;
  readonly telemetry = silentTelemetry();
  readonly #log: Log;
  /** Lets time pass while something is read. */
  readonly #step: () => Promise<void>;
  readonly #directory: string | undefined;
  /** How many records there are in each partition. */
  readonly written: number[] = Array.from({ length: PARTITIONS }, () => 0);

  constructor(name: string, log: Log, clock: Clock, step: () => Promise<void>, directory?: string) {
    this.#step = step;
    this.name = name;
    this.clock = clock;
    this.#log = log;
    this.#directory = directory;
  }

  get input(): string {
    return `${this.name}-in`;
  }

  changelog(partition: number): string {
    return partitionName(`nf.${this.name}.n.changelog`, partition);
  }

  async start(settings: Partial<RunSettings> = {}): Promise<Run> {
    return startRun({
      ...{ program: this.#program(), log: this.#log, state: createStateBackend({}), directory: this.#directory },
      ...{ clock: this.clock, telemetry: this.telemetry },
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 20, ...settings },
    });
  }

  /** One more record in a partition; its key is the partition's, whatever a partitioner would say. */
  async write(partition: number): Promise<void> {
    const producer = await this.#log.producer({});
    await producer.append(this.input, partition, this.batch(partition));
    await producer.close();
    this.written[partition]!++;
  }

  batch(partition: number): Bytes {
    const builder = new BatchBuilder(new Step());
    const key = Buffer.from(`k${partition}`);
    builder.append(this.clock.now(), key, 0, key.length, Buffer.alloc(8), 0, 8);
    return builder.finish();
  }

  /** Each partition has had its records counted, one after the other and none twice; all of them, but for these. */
  async assertCounted(...except: readonly number[]): Promise<void> {
    const found = await this.counted();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const counts = found.get(`k${partition}`) ?? [];
      assert.deepEqual(
        counts,
        counts.map((_, i) => i + 1),
        `partition ${partition}`,
      );
      if (!except.includes(partition)) assert.equal(counts.length, this.written[partition], `partition ${partition}`);
    }
  }

  /** Whether each record of these partitions has been counted, once or more. */
  async isCounted(...partitions: readonly number[]): Promise<boolean> {
    const found = await this.counted();
    return partitions.every((each) => Math.max(0, ...(found.get(`k${each}`) ?? [])) >= this.written[each]!);
  }

  /** Waits for that. */
  untilCounted(...partitions: readonly number[]): Promise<void> {
    return this.until(`partitions ${partitions} are counted`, () => this.isCounted(...partitions), this.#step);
  }

  /** What was counted of each key, in order. */
  async counted(): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = new Map<string, number[]>();
    let over = false;
    const reading = readTopic(this.#log, this.#output(), (value, key) => {
      found.set(key!, [...(found.get(key!) ?? []), Number(value)]);
    }).finally(() => {
      over = true;
    });
    while (!over) await this.#step();
    await reading;
    return found;
  }

  /** The value of a metric of a task, by its partition; `undefined` where there is none. */
  metric(name: string, partition: number): number | undefined {
    return this.telemetry
      .snapshot()
      .find((row) => row.name === name && Object.values(row.labels).includes(this.task(partition)))?.values[0];
  }

  task(partition: number): string {
    return `source.${this.input}_${partition}`;
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>, step: () => Promise<void>): Promise<void> {
    const began = this.clock.monotonic();
    while (!(await isSo())) {
      assert.ok(this.clock.monotonic() - began < PATIENCE_MS, `it never came to this: ${what}`);
      await step();
    }
  }

  #program(): Program {
    const app = topology(this.name);
    const input = topic(this.input, { key: string(), value: int64(), partitions: PARTITIONS });
    app.stream(input).groupByKey().count({ store: 'n' }).toStream().to(this.#output());
    return app.build();
  }

  #output() {
    return topic(`${this.name}-out`, { key: string(), value: int64(), partitions: PARTITIONS });
  }
}

const PATIENCE_MS: Millis = 120_000;
