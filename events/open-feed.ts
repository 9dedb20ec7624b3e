import { Deadline } from '../core/deadline.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { type Position, partitionName } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import { type Fetched, FOLLOW_WAIT_MS, type LogReader } from '../log/log.ts';
import type { FeedCursor, FeedFilter, GraphNames, NamedEvent, PlacedStep, StepRecord } from './events.ts';
import type { EventFeed, FeedParts, Subscription, TakeEvent, TakeStep, Watcher } from './feed.ts';
import { EVENTS_TOPIC } from './topics.ts';
import { mayTake, namedEvents, takes } from './views.ts';

/** Whoever catches up looks this often whether the feed has come to where it stands. */
const CATCH_UP_WAIT_MS = 500;
/** After a failure to read, which passes by itself or does not. */
const FAILURE_MS = 500;
/** So often a feed that nobody needs goes on to where it would stand, without reading what lies between. */
const REST_MS = 2000;

/** Opens the feed where the topic ends now. */
export async function openFeed(parts: FeedParts): Promise<EventFeed> {
  const stable = await bounds(parts, 'stable');
  return new Feed(parts, stable);
}

function readerAt({ log }: FeedParts, positions: readonly Position[]): LogReader {
  const reader = log.reader({ isolation: 'committed' });
  reader.assign(placesOf(positions));
  return reader;
}

function bounds({ log, partitions }: FeedParts, which: 'start' | 'stable'): Promise<number[]> {
  return Promise.all(
    Array.from(
      { length: partitions },
      async (_, partition) => (await log.admin.bounds(EVENTS_TOPIC, partition))[which],
    ),
  );
}

function placesOf(positions: readonly Position[]) {
  return positions.map((position, partition) => ({ topic: EVENTS_TOPIC, partition, position }));
}

class Feed implements EventFeed {
  readonly #parts: FeedParts;
  readonly #positions: number[];
  /** The one that is open now, or was last. */
  #reader: LogReader;
  readonly knowsEnds: boolean;
  readonly #rest: Deadline;
  /** Ends the rest at hand. */
  #goOn: () => void = () => {};
  readonly #live = new Set<Follower>();
  readonly #all = new Set<Follower>();
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #words: Words | undefined;

  constructor(parts: FeedParts, positions: number[]) {
    this.#parts = parts;
    this.#positions = positions;
    this.#reader = readerAt(parts, positions);
    this.knowsEnds = this.#reader.end !== undefined;
    this.#rest = new Deadline(parts.clock, () => this.#goOn());
    this.#reading = this.#read();
  }

  get cursor(): FeedCursor {
    const reader = this.#reader;
    if (reader.end === undefined) return [...this.#positions];
    return this.#positions.map((position, partition) =>
      Math.max(position, reader.end!({ topic: EVENTS_TOPIC, partition })),
    );
  }

  wake(): void {
    this.#goOn();
  }

  steps(filter: FeedFilter, from: FeedCursor | undefined, take: TakeStep): Subscription {
    return this.#follow(from, (step, cursor) => {
      const { record } = step;
      return mayTake(filter, record, () => this.#wordsOf(record).names) ? take(step, cursor()) : undefined;
    });
  }

  events(filter: FeedFilter, from: FeedCursor | undefined, take: TakeEvent): Subscription {
    return this.#follow(from, (step, cursor, before) => {
      const words = this.#wordsOf(step.record);
      if (!mayTake(filter, step.record, () => words.names)) return;
      const taken = words.events.filter((event) => takes(filter, event));
      for (const [i, event] of taken.entries()) take(event, i === taken.length - 1 ? cursor() : before());
    });
  }

  /** The live subscribers are handed one and the same record, one after the other. */
  #wordsOf(record: StepRecord): Words {
    if (this.#words?.record !== record) this.#words = new Words(record, (hash) => this.#parts.names(hash));
    return this.#words;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#goOn();
    for (const follower of this.#all) follower.close();
    await this.#reading;
    this.#rest.close();
  }

  #follow(from: FeedCursor | undefined, take: Take): Subscription {
    const follower = new Follower(from ?? this.cursor, take, (gone) => {
      this.#live.delete(gone);
      this.#all.delete(gone);
    });
    this.#all.add(follower);
    this.#goOn();
    if (from === undefined) this.#live.add(follower);
    else this.#catchUp(follower).catch((thrown) => follower.fail(thrown));
    return follower;
  }

  /** Reads what is older than the feed for one subscriber, and hands it over to the feed. */
  async #catchUp(follower: Follower): Promise<void> {
    const { log } = this.#parts;
    const starts = await bounds(this.#parts, 'start');
    follower.positions = starts.map((start, partition) => Math.max(start, follower.positions[partition] ?? start));
    const reader = log.reader({ isolation: 'committed' });
    const view = new BatchView();
    const handOver: Visitor = {
      take: (step) => follower.take(step),
      broken: (_, why) => follower.fail(why),
    };
    try {
      reader.assign(placesOf(follower.positions));
      while (!follower.closed && !this.#hasCaughtUp(follower)) {
        for (const fetched of await reader.fetch(CATCH_UP_WAIT_MS, follower.signal)) {
          await this.#visit(fetched, view, handOver);
          follower.positions[fetched.partition] = fetched.next;
          fetched.release();
        }
      }
      if (!follower.closed) this.#live.add(follower);
    } finally {
      await reader.close();
    }
  }

  /** What it is ahead of the feed in one partition, the feed passes over for it. */
  #hasCaughtUp({ positions }: Follower): boolean {
    return this.#positions.every((position, partition) => positions[partition]! >= position);
  }

  async #read(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        if (!isFirst) this.#reader = readerAt(this.#parts, this.#positions);
        await this.#readOn(this.#reader, signal);
      } catch (thrown) {
        this.#parts.watcher?.failed(thrown);
        // read again from where it stood; nobody has been handed anything of what failed
        await clock.sleep(FAILURE_MS, signal);
      } finally {
        await this.#reader.close();
      }
    }
  }

  async #readOn(reader: LogReader, signal: AbortSignal): Promise<void> {
    const { watcher } = this.#parts;
    const view = new BatchView();
    const handOut: Visitor = {
      take: (step) => this.#handOut(step),
      broken: (place, why) => this.#goBehind(place, (follower) => follower.fail(why)),
    };
    while (!signal.aborted) {
      if (this.#isIdle) await this.#wait(reader);
      for (const fetched of await reader.fetch(FOLLOW_WAIT_MS, signal)) {
        try {
          const visitor = this.#live.size > 0 ? handOut : undefined;
          if (visitor !== undefined || watcher !== undefined) await this.#visit(fetched, view, visitor, watcher);
          this.#positions[fetched.partition] = fetched.next;
          for (const follower of this.#live) follower.passed(fetched.partition, fetched.next);
        } finally {
          fetched.release();
        }
      }
    }
  }

  get #isIdle(): boolean {
    return this.knowsEnds && this.#all.size === 0 && this.#parts.watcher?.waits !== true && !this.#stop.signal.aborted;
  }

  /**
   * Until somebody needs what comes. Whoever does may be late by what he did just before, so that it is read again from
   * where it stood a whole rest ago.
   */
  async #wait(reader: LogReader): Promise<void> {
    let ends: FeedCursor | undefined;
    let hasMoved = false;
    while (this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
        this.#rest.set(REST_MS);
      });
      if (!this.#isIdle) break;
      if (ends !== undefined) {
        this.#positions.splice(0, ends.length, ...ends);
        hasMoved = true;
      }
      ends = this.cursor;
    }
    this.#goOn = () => {};
    this.#rest.clear();
    if (hasMoved) reader.assign(placesOf(this.#positions));
  }

  #handOut(step: PlacedStep): void {
    this.#goBehind(step, (follower) => void follower.take(step));
  }

  /** Tells those who have not met what stands there. */
  #goBehind({ partition, position }: Place, tell: (follower: Follower) => void): void {
    for (const follower of this.#live) if (position >= follower.positions[partition]!) tell(follower);
    this.#positions[partition] = position + 1;
  }

  async #visit(fetched: Fetched, view: BatchView, visitor: Visitor | undefined, watcher?: Watcher): Promise<void> {
    const { bytes, starts, ends, position } = fetched;
    for (let b = 0; b < starts.length; b++) {
      view.openChecked(bytes, starts[b]!, ends[b]!, fetched);
      watcher?.take(view, position);
      if (visitor !== undefined) await this.#visitRecords(view, fetched, visitor);
    }
  }

  async #visitRecords(
    view: BatchView,
    { topic, partition, position }: Fetched,
    { take, broken }: Visitor,
  ): Promise<void> {
    for (let i = 0; i < view.count; i++) {
      const at = view.positions[i]!;
      if (at < position || view.valueStarts[i]! < 0) continue;
      let record: StepRecord;
      try {
        record = this.#parts.decode(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!);
      } catch (thrown) {
        const where = `${partitionName(topic, partition)} holds at ${at}`;
        const why = `${where} what is no step record: ${messageOf(thrown)}; go on from a place behind it`;
        broken({ partition, position: at }, new FlowError('schema.mismatch', why, { cause: thrown }));
        continue;
      }
      // an answer to a command without effect is of no history
      if (record.seq === 0) continue;
      const learning = this.#parts.known?.(record.definition);
      if (learning !== undefined) await learning;
      const waits = take({ record, partition, position: at });
      if (waits !== undefined) await waits;
    }
  }
}

interface Place {
  readonly partition: number;
  readonly position: Position;
}

interface Visitor {
  take(step: PlacedStep): void | Promise<void>;
  /** There is a record that cannot be read. */
  broken(place: Place, why: FlowError): void;
}

type Cursor = () => FeedCursor;
type Take = (step: PlacedStep, cursor: Cursor, before: Cursor) => void | Promise<void>;

class Follower implements Subscription {
  /** Where it stands, by partition. */
  positions: number[];
  readonly ended: Promise<void>;
  readonly #take: Take;
  readonly #gone: (follower: Follower) => void;
  readonly #closing = new AbortController();
  #end: { resolve(): void; reject(reason: unknown): void };

  constructor(from: FeedCursor, take: Take, gone: (follower: Follower) => void) {
    this.positions = [...from];
    this.#take = take;
    this.#gone = gone;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    this.ended.catch(() => undefined);
    this.#end = { resolve, reject };
  }

  get cursor(): FeedCursor {
    return [...this.positions];
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Hands a step over; what the subscriber throws ends its subscription, and nobody else's. */
  take(step: PlacedStep): void | Promise<void> {
    if (this.closed) return undefined;
    const { partition, position } = step;
    const { positions } = this;
    const at = (place: number) => () => positions.map((each, i) => (i === partition ? place : each));
    try {
      const waits = this.#take(step, at(position + 1), at(position));
      positions[partition] = position + 1;
      return waits?.catch((thrown: unknown) => this.fail(thrown));
    } catch (thrown) {
      this.fail(thrown);
      return undefined;
    }
  }

  passed(partition: number, next: number): void {
    this.positions[partition] = Math.max(this.positions[partition]!, next);
  }

  fail(reason: unknown): void {
    if (this.closed) return;
    this.#leave();
    this.#end.reject(reason);
  }

  close(): void {
    if (this.closed) return;
    this.#leave();
    this.#end.resolve();
  }

  #leave(): void {
    this.#closing.abort();
    this.#gone(this);
  }
}

/** A record in words, found when they are first asked for. */
class Words {
  readonly record: StepRecord;
  readonly #find: FeedParts['names'];
  #names: GraphNames | undefined;
  #events: readonly NamedEvent[] | undefined;

  constructor(record: StepRecord, find: FeedParts['names']) {
    this.record = record;
    this.#find = find;
  }

  get names(): GraphNames {
    this.#names ??= this.#find(this.record.definition);
    return this.#names;
  }

  get events(): readonly NamedEvent[] {
    this.#events ??= namedEvents(this.record, this.names);
    return this.#events;
  }
}
