import type { Clock } from '../core/clock.ts';
import { doubled } from '../core/duration.ts';
import { ERRORS, type FlowError, isFlowError } from '../core/errors.ts';
import { type Random, seededRandom, seedOf, uniqueId } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { appendPlain, BatchBuilder } from '../log/batch.ts';
import type { Log, LogProducer } from '../log/log.ts';
import type { LetterRecord, Redriven, RedriveOptions, RedriveTarget } from './letters.ts';
import { MOST_IDS, markOf, REDRIVES_TOPIC, type RedriveMarks, type StoredMark } from './redrive-marks.ts';

export interface RedriverParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly marks: RedriveMarks;
}

/** What is to be sent for a letter. */
export interface Sending extends RedriveTarget {
  readonly letter: string;
  readonly topicId: string | null;
}

export type SendOptions = Pick<RedriveOptions, 'by' | 'again' | 'id'>;

const MOST_RECORDS = 100;
const MOST_BYTES = 1024 * 1024;
const MOST_TRIES = 12;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2000;

/**
 * Sends records with their marks: of a lane, one process at a time. Whoever opens the producer of a lane ends what another
 * has open there, and reads the marks behind that, so whatever is sent afterwards is not marked, and is marked with it.
 */
export class Redriver {
  readonly #parts: RedriverParts;
  readonly #random: Random;
  /** Within the process they wait for each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: RedriverParts) {
    this.#parts = parts;
    this.#random = seededRandom(seedOf(uniqueId()));
  }

  /** What became of each, in their order; a letter that is there twice is sent once. */
  async send(lane: string, sendings: readonly Sending[], options: SendOptions = {}): Promise<readonly Sent[]> {
    const before = this.#turns.get(lane) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#send(lane, sendings, options));
    this.#turns.set(lane, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(lane) === turn) this.#turns.delete(lane);
    }
  }

  async #send(lane: string, sendings: readonly Sending[], options: SendOptions): Promise<readonly Sent[]> {
    const { log, clock, marks } = this.#parts;
    await marks.prepare();
    const named = { ...options, id: options.id ?? uniqueId() };
    const sent = new Map<string, Sent>();
    const once = [...new Map(sendings.map((each) => [each.letter, each] as const)).values()];
    const topics = [...new Set([REDRIVES_TOPIC, ...sendings.map(({ topic }) => topic)])];
    for (let tries = 1; ; tries++) {
      let producer: LogProducer | undefined;
      try {
        producer = await log.producer({ transactionalId: `nf.redrive.${lane}`, writes: { topics } });
        await marks.refresh('decided');
        for (const part of partsOf(once.filter(({ letter }) => !sent.has(letter)))) {
          await this.#sendPart(producer, part, named, sent);
        }
        return sendings.map(({ letter }) => sent.get(letter)!);
      } catch (thrown) {
        await producer?.abort().catch(() => undefined);
        if (!passes(thrown) || tries === MOST_TRIES) throw thrown;
      } finally {
        await producer?.close().catch(() => undefined);
      }
      // another process is at it, or the log was away: what was not answered may be done
      const pause = doubled(FIRST_PAUSE_MS, tries, LONGEST_PAUSE_MS);
      await clock.sleep(Math.ceil(pause * this.#random.next()));
    }
  }

  async #sendPart(
    producer: LogProducer,
    part: readonly Sending[],
    options: SendOptions & { readonly id: string },
    sent: Map<string, Sent>,
  ): Promise<void> {
    const { marks } = this.#parts;
    const fresh: Sending[] = [];
    for (const each of part) {
      const mark = marks.of(each.letter, each.topicId);
      if (!isDone(mark, options)) fresh.push(each);
      else sent.set(each.letter, { id: each.letter, existing: true, ...markOf(mark) });
    }
    if (fresh.length === 0) return;
    try {
      for (const done of await this.#transact(producer, fresh, options)) sent.set(done.id, done);
    } catch (thrown) {
      if (passes(thrown) || !isFlowError(thrown)) throw thrown;
      await producer.abort();
      // the log does not take one of them
      if (fresh.length === 1) sent.set(fresh[0]!.letter, thrown);
      else for (const each of fresh) await this.#sendPart(producer, [each], options, sent);
    }
  }

  async #transact(
    producer: LogProducer,
    sendings: readonly Sending[],
    { by = null, id }: { readonly by?: string | null; readonly id: string },
  ): Promise<readonly Redriven[]> {
    const at = this.#parts.clock.now();
    producer.begin();
    const positions = await Promise.all(
      sendings.map(({ topic, partition, record }) => producer.append(topic, partition, batchOf([record]))),
    );
    const stored = sendings.map(({ letter, topicId, topic, partition }, i): readonly [string, StoredMark] => {
      const before = this.#parts.marks.of(letter, topicId);
      const ids = [...(before?.ids ?? []), id].slice(-MOST_IDS);
      const to = { topic, partition, position: positions[i]! };
      return [letter, { form: 1, at, by, to, times: (before?.times ?? 0) + 1, topicId, ids }];
    });
    await producer.append(REDRIVES_TOPIC, 0, batchOf(stored.map(([letter, mark]) => markRecord(letter, mark))));
    await producer.commit();
    return stored.map(([letter, mark]) => ({ id: letter, existing: false, ...markOf(mark) }));
  }
}

export type Sent = Redriven | FlowError;

function isDone(
  mark: StoredMark | undefined,
  { again, id }: SendOptions & { readonly id: string },
): mark is StoredMark {
  return mark !== undefined && (again !== true || mark.ids.includes(id));
}

/** It may go well when it is tried once more. */
function passes(thrown: unknown): boolean {
  return isFlowError(thrown) && (thrown.code === 'log.fenced' || ERRORS[thrown.code].kind === 'transient');
}

function* partsOf(sendings: readonly Sending[]): Generator<readonly Sending[]> {
  let part: Sending[] = [];
  let bytes = 0;
  for (const each of sendings) {
    const { key, value } = each.record;
    const size = (key?.length ?? 0) + (value?.length ?? 0);
    if (part.length > 0 && (part.length === MOST_RECORDS || bytes + size > MOST_BYTES)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(each);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

function markRecord(letter: string, mark: StoredMark): LetterRecord {
  return { key: Buffer.from(letter), value: Buffer.from(JSON.stringify(mark)), timestamp: mark.at, headers: [] };
}

function batchOf(records: readonly LetterRecord[]) {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  for (const record of records) appendPlain(builder, record);
  step.settle();
  return builder.finish();
}
