import type { Clock } from '../core/clock.ts';
import { type ErrorCode, isFlowError } from '../core/errors.ts';
import type { Position } from '../core/ids.ts';
import type { Random } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView } from '../log/batch.ts';
import { createOnce, type Log, type LogProducer, type LogReader } from '../log/log.ts';
import { decodeEntry, type Entry, encodeEntry, type OwnEntry } from './entries.ts';

export interface JournalParts {
  readonly log: Log;
  readonly topic: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Writes in transactions, which whoever writes next fences. */
  readonly fenced: boolean;
  /** Told of every entry, in the order of the topic, those written here too. */
  onEntry(entry: Entry): void;
}

const FETCH_MS = 200;
const ATTEMPTS = 20;
const PAUSE_MS = 50;

/**
 * The topic behind a registry. One thing at a time: `read` looks at what has been applied so far, `change` decides upon
 * it and writes.
 */
export class Journal {
  readonly #parts: JournalParts;
  readonly #view = new BatchView();
  #reader: LogReader | undefined;
  #position: Position = 0;
  #producer: LogProducer | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Runs `work` when everything that the topic holds has been applied. */
  read<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#alone(async () => {
      await this.#catchUp();
      return work();
    });
  }

  /**
   * Writes the entries that `decide` answers, all or none; resolves with its answer when they are applied. Where
   * another process has written meanwhile, `decide` is asked again.
   */
  change<T>(decide: () => Promise<{ readonly entries: readonly OwnEntry[]; readonly answer: T }>): Promise<T> {
    const { clock, random } = this.#parts;
    return this.#alone(async () => {
      for (let left = ATTEMPTS; ; left--) {
        await this.#catchUp();
        const { entries, answer } = await decide();
        if (entries.length === 0) return answer;
        if (this.#producer === undefined) {
          // from here on nobody else writes, but somebody may have until now: the request is judged again
          this.#producer = await this.#openProducer();
          continue;
        }
        let written: Position;
        try {
          written = await this.#write(this.#producer, entries);
        } catch (thrown) {
          await this.#dropProducer();
          if (left <= 1 || !isPassing(thrown)) throw thrown;
          // two that write at once would fence each other for ever
          await clock.sleep(random.next() * PAUSE_MS * (ATTEMPTS - left + 1));
          continue;
        }
        await this.#catchUp(written + 1);
        return answer;
      }
    });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#dropProducer();
    await this.#reader?.close();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Reads to where the topic ends now, and at least to `until`: what is committed may be shown a little later. */
  async #catchUp(until: Position = 0): Promise<void> {
    const { log, topic } = this.#parts;
    if (this.#reader === undefined) {
      if ((await log.admin.describe(topic)) === undefined) return;
      const { start } = await log.admin.bounds(topic, 0);
      this.#reader = log.reader({ isolation: 'committed' });
      this.#position = start;
      this.#reader.assign([{ topic, partition: 0, position: start }]);
    }
    const { stable } = await log.admin.bounds(topic, 0);
    while (this.#position < Math.max(stable, until)) {
      for (const fetched of await this.#reader.fetch(FETCH_MS)) {
        const view = this.#view;
        for (let batch = 0; batch < fetched.starts.length; batch++) {
          view.open(fetched.bytes, fetched.starts[batch]!, fetched.ends[batch]!, fetched);
          for (let i = 0; i < view.count; i++) if (view.positions[i]! >= this.#position) this.#apply(i);
        }
        this.#position = fetched.next;
        fetched.release();
      }
    }
  }

  #apply(i: number): void {
    const view = this.#view;
    if (view.keyStarts[i]! < 0) return;
    const text = (start: number, end: number) => view.bytes.toString('utf8', start, end);
    const value = view.valueStarts[i]! < 0 ? null : text(view.valueStarts[i]!, view.valueEnds[i]!);
    const entry = decodeEntry(text(view.keyStarts[i]!, view.keyEnds[i]!), value);
    if (entry !== undefined) this.#parts.onEntry(entry);
  }

  async #openProducer(): Promise<LogProducer> {
    const { log, topic, fenced } = this.#parts;
    await this.#makeTopic();
    return log.producer(fenced ? { transactionalId: `nf-registry-${topic}` } : {});
  }

  async #write(producer: LogProducer, entries: readonly OwnEntry[]): Promise<Position> {
    const { topic, clock, fenced } = this.#parts;
    const builder = new BatchBuilder(new Step());
    for (const entry of entries) {
      const { key, value } = encodeEntry(entry);
      const keyBytes = Buffer.from(key);
      const valueBytes = value === null ? Buffer.alloc(0) : Buffer.from(value);
      builder.append(
        clock.now(),
        ...([keyBytes, 0, keyBytes.length] as const),
        ...([valueBytes, value === null ? -1 : 0, value === null ? -1 : valueBytes.length] as const),
      );
    }
    if (fenced) producer.begin();
    const position = await producer.append(topic, 0, builder.finish());
    if (fenced) await producer.commit();
    return position;
  }

  async #makeTopic(): Promise<void> {
    const { log, topic } = this.#parts;
    if (this.#reader !== undefined) return;
    await createOnce(log.admin, topic, { partitions: 1, cleanup: 'compact' });
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close().catch(() => undefined);
  }
}

const PASSING: readonly ErrorCode[] = ['log.fenced', 'log.timeout', 'log.aborted'];

function isPassing(thrown: unknown): boolean {
  return PASSING.some((code) => isFlowError(thrown, code));
}
