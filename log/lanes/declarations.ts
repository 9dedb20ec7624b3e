import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder, BatchView } from '../batch.ts';
import { createOnce } from '../create-once.ts';
import type { Log, LogProducer, LogReader, TopicSettings } from '../log.ts';
import type { LaneSettings } from './lanes.ts';

export const DECLARATIONS_TOPIC = 'nf.lanes';

export function laneTopic(lane: number): string {
  return `nf.lane.${lane}`;
}

/** A logical topic as it was declared. */
export interface Declaration {
  readonly topic: string;
  /** Of this topic alone, also where another was made under its name before. */
  readonly id: string;
  readonly run: string;
  readonly settings: Required<TopicSettings>;
  readonly lane: number;
  /** For each partition, the lane's and where that one stood. */
  readonly begins: readonly (readonly [partition: number, position: Position])[];
  /** The first of as many slots as it has partitions; -1 without. Where another of the run has one of them, it has none. */
  readonly slot: number;
}

export interface Row extends Declaration {
  /** Of each partition, as it stands in the keys of envelopes. */
  readonly tags: readonly Bytes[];
  /** It was made at a time with another of its name; it does not count. */
  readonly void: boolean;
}

export interface DeclarationsParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: LaneSettings;
}

const FETCH_WAIT_MS = 500;
const MAX_TRIES = 5;
const SEGMENT_BYTES = 4 << 20;
/** Of a batch, so that its envelope fits too where its records are many and small. */
const LANE_BATCH_BYTES = 48 << 20;

/** The table of what is declared, read from its topic when it is asked to be up to date, and the way to change it. */
export class Declarations {
  readonly #parts: DeclarationsParts;
  readonly #step = new Step();
  readonly #view = new BatchView();
  readonly #byTopic = new Map<string, Map<string, Row>>();
  readonly #byRun = new Map<string, Set<Row>>();
  readonly #byId = new Map<string, Row>();
  #ready: Promise<void> | undefined;
  #lanePartitions = 0;
  #reader: LogReader | undefined;
  #producer: LogProducer | undefined;
  #next: Position = 0;
  #reading: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #builder = new BatchBuilder(this.#step);
  #sending: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  constructor(parts: DeclarationsParts) {
    this.#parts = parts;
  }

  /** Partitions of all lanes together. */
  get places(): number {
    return this.#parts.settings.topics * this.#lanePartitions;
  }

  get lanePartitions(): number {
    return this.#lanePartitions;
  }

  /** The one that counts under that name. */
  live(topic: string): Row | undefined {
    for (const row of this.#byTopic.get(topic)?.values() ?? []) if (!row.void) return row;
    return undefined;
  }

  /** All that stand there under a name. */
  named(topic: string): readonly Row[] {
    return [...(this.#byTopic.get(topic)?.values() ?? [])];
  }

  byId(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  ofRun(run: string): Iterable<Row> {
    return this.#byRun.get(run) ?? [];
  }

  get topics(): readonly string[] {
    return [...this.#byTopic.keys()].filter((topic) => this.live(topic) !== undefined);
  }

  /** Resolves when there are lanes. */
  async prepare(): Promise<void> {
    this.#ready ??= this.#prepare().catch((thrown: unknown) => {
      this.#ready = undefined;
      throw thrown;
    });
    await this.#ready;
  }

  /** Resolves when all that stands there by now is known here. */
  refresh(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    // the reading under way may have looked up the end before the caller came
    this.#following ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#following = undefined;
        return this.refresh();
      });
    return this.#following;
  }

  /** Writes rows, and tombstones of others, together; resolves when they are known here. */
  async write(rows: readonly Declaration[], without: readonly Declaration[] = []): Promise<void> {
    this.#step.begin();
    for (const row of without) this.#append(row, null);
    for (const row of rows) this.#append(row, encode(row));
    this.#step.settle();
    // what is written while a batch is on its way goes out as one
    if (this.#queued === undefined) {
      this.#queued = this.#sending
        .catch(() => undefined)
        .then(() => {
          this.#queued = undefined;
          return this.#send();
        });
      this.#sending = this.#queued;
    }
    await this.#queued;
    await this.refresh();
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    await this.#producer?.close();
  }

  async #prepare(): Promise<void> {
    const { topics, partitions, retentionMs } = this.#parts.settings;
    const lane = { partitions, cleanup: 'delete', retentionMs, maxMessageBytes: LANE_BATCH_BYTES } as const;
    const lanes = Array.from({ length: topics }, (_, i) => laneTopic(i));
    await Promise.all(lanes.map((name) => this.#make(name, lane)));
    // last: where it stands, the lanes do
    await this.#make(DECLARATIONS_TOPIC, { partitions: 1, cleanup: 'compact', segmentBytes: SEGMENT_BYTES });
  }

  /** False where nobody has declared anything yet. */
  async #open(): Promise<boolean> {
    const { log } = this.#parts;
    const { admin } = log;
    if ((await admin.describe(DECLARATIONS_TOPIC)) === undefined) return false;
    this.#lanePartitions = (await admin.describe(laneTopic(0)))!.settings.partitions;
    const { start } = await admin.bounds(DECLARATIONS_TOPIC, 0);
    this.#next = start;
    this.#reader = log.reader({ isolation: 'committed' });
    this.#reader.assign([{ topic: DECLARATIONS_TOPIC, partition: 0, position: start }]);
    return true;
  }

  async #make(name: string, settings: TopicSettings): Promise<void> {
    const { admin } = this.#parts.log;
    if ((await admin.describe(name)) !== undefined) return;
    await createOnce(admin, name, settings);
  }

  async #read(): Promise<void> {
    if (this.#reader === undefined && !(await this.#open())) return;
    const { end } = await this.#parts.log.admin.bounds(DECLARATIONS_TOPIC, 0);
    while (this.#next < end) {
      for (const fetched of await this.#reader!.fetch(FETCH_WAIT_MS)) {
        for (let b = 0; b < fetched.starts.length; b++) {
          this.#view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
          this.#take();
        }
        this.#next = fetched.next;
        fetched.release();
      }
    }
  }

  #take(): void {
    const { bytes, count, positions, keyStarts, keyEnds, valueStarts, valueEnds } = this.#view;
    for (let i = 0; i < count; i++) {
      if (positions[i]! < this.#next) continue;
      const [topic, id] = bytes.toString('utf8', keyStarts[i]!, keyEnds[i]!).split('\n') as [string, string];
      if (valueStarts[i]! < 0) this.#drop(topic, id);
      else this.#put(JSON.parse(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!)) as Declaration);
    }
  }

  #put(declared: Declaration): void {
    const { topic, id, run, begins } = declared;
    const rows = this.#byTopic.get(topic) ?? new Map<string, Row>();
    this.#byTopic.set(topic, rows);
    const before = rows.get(id);
    const runRows = this.#byRun.get(run) ?? new Set<Row>();
    this.#byRun.set(run, runRows);
    const row: Row = {
      ...declared,
      tags: before?.tags ?? begins.map((_, p) => Buffer.from(`${id}/${p}`)),
      void: before?.void ?? this.live(topic) !== undefined,
      slot: [...runRows].some((other) => overlap(declared, other)) ? -1 : declared.slot,
    };
    rows.set(id, row);
    this.#byId.set(id, row);
    if (before !== undefined) runRows.delete(before);
    runRows.add(row);
  }

  #drop(topic: string, id: string): void {
    const rows = this.#byTopic.get(topic);
    const row = rows?.get(id);
    if (rows === undefined || row === undefined) return;
    rows.delete(id);
    if (rows.size === 0) this.#byTopic.delete(topic);
    this.#byId.delete(id);
    const runRows = this.#byRun.get(row.run)!;
    runRows.delete(row);
    if (runRows.size === 0) this.#byRun.delete(row.run);
  }

  #append({ topic, id }: Declaration, value: Bytes | null): void {
    const key = Buffer.from(`${topic}\n${id}`);
    const at = this.#parts.clock.now();
    if (value === null) this.#builder.append(at, key, 0, key.length, key, -1, -1);
    else this.#builder.append(at, key, 0, key.length, value, 0, value.length);
  }

  async #send(): Promise<void> {
    const { log } = this.#parts;
    const batch = this.#builder.finish();
    this.#builder = new BatchBuilder(this.#step);
    for (let tries = 1; ; tries++) {
      this.#producer ??= await log.producer({});
      try {
        await this.#producer.append(DECLARATIONS_TOPIC, 0, Buffer.from(batch));
        return;
      } catch (thrown) {
        // rows may stand there twice: the second says the same. Behind a gap the producer takes nothing.
        await this.#producer.close();
        this.#producer = undefined;
        if (!isFlowError(thrown, 'log.timeout') || tries >= MAX_TRIES) throw thrown;
      }
    }
  }
}

function encode({ topic, id, run, settings, lane, begins, slot }: Declaration): Bytes {
  return Buffer.from(JSON.stringify({ topic, id, run, settings, lane, begins, slot }));
}

function overlap(one: Declaration, other: Row): boolean {
  if (one.slot < 0 || other.slot < 0 || other.void || one.id === other.id) return false;
  return one.slot < other.slot + other.begins.length && other.slot < one.slot + one.begins.length;
}
