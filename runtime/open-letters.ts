import { FlowError, isFlowError } from '../core/errors.ts';
import type { Log } from '../log/log.ts';
import { Backwards } from './backwards.ts';
import { pageOf } from './letter-pages.ts';
import { letterBytes, readLetter, readLetterId } from './letter-record.ts';
import type {
  Below,
  LetterPage,
  RecordLetter,
  RecordLetterQuery,
  RecordLetters,
  RecordLettersParts,
  RedriveMark,
  Redriven,
  RedriveOptions,
  RedriveOutcome,
  RedriveTarget,
} from './letters.ts';
import { recordAt } from './record-at.ts';
import { markOf, RedriveMarks } from './redrive-marks.ts';
import { redriveTarget } from './redrive-target.ts';
import { Redriver, type Sending, type Sent } from './redriver.ts';
import { deadLetterTopic } from './stage.ts';

/** The dead letters of a log. Nothing stays open between two calls. */
export function openRecordLetters(parts: RecordLettersParts): RecordLetters {
  return new OpenLetters(parts);
}

class OpenLetters implements RecordLetters {
  readonly #parts: RecordLettersParts;
  readonly #marks: RedriveMarks;
  readonly #redriver: Redriver;

  constructor(parts: RecordLettersParts) {
    const { log, clock } = parts;
    this.#parts = parts;
    this.#marks = new RedriveMarks(log);
    this.#redriver = new Redriver({ log, clock, marks: this.#marks });
  }

  async list(query: RecordLetterQuery): Promise<LetterPage<RecordLetter>> {
    return pageOf(
      query,
      (below) => this.partitions(query, below),
      (letter) => fits(letter, query),
      letterBytes,
    );
  }

  async partitions(
    { application }: Pick<RecordLetterQuery, 'application'>,
    below: Below,
  ): Promise<readonly Backwards<RecordLetter>[]> {
    const { log } = this.#parts;
    const topics = topicsOf(application, await letterTopics(log));
    await this.#marks.refresh('committed');
    const found = await Promise.all(topics.map((topic) => log.admin.describe(topic)));
    const there = found.filter((each) => each !== undefined);
    return Promise.all(
      there.map(({ topic, id }) =>
        Backwards.open(log, { topic, partition: 0, below: below(topic, 0) }, (view, i) =>
          this.#marked(readLetter(view, i, topic), id),
        ),
      ),
    );
  }

  async marks(): Promise<(id: string) => RedriveMark | null> {
    await this.#marks.refresh('committed');
    return (id) => {
      const mark = this.#marks.of(id, null);
      return mark === undefined ? null : markOf(mark);
    };
  }

  async show(id: string): Promise<RecordLetter> {
    const { letter, topicId } = await this.#find(id);
    await this.#marks.refresh('committed');
    return this.#marked(letter, topicId);
  }

  async redrive(id: string, options: RedriveOptions = {}): Promise<Redriven> {
    const { letter, topicId, topic } = await this.#find(id);
    const target = await this.#target(letter, options);
    const [sent] = await this.#redriver.send(topic, [{ letter: id, topicId, ...target }], options);
    if (isFlowError(sent)) throw sent;
    return sent!;
  }

  async redriveAll(letters: readonly RecordLetter[], options: RedriveOptions = {}): Promise<readonly RedriveOutcome[]> {
    const { outcomes, lanes } = await this.#prepare(letters, options);
    for (const [topic, sendings] of lanes) {
      const sent = await this.#redriver.send(topic, sendings, options);
      sent.forEach((each, i) => void outcomes.set(sendings[i]!.letter, outcomeOf(sendings[i]!.letter, each)));
    }
    return letters.map(({ id }) => outcomes.get(id)!);
  }

  async preview(letters: readonly RecordLetter[], options: RedriveOptions = {}): Promise<readonly RedriveOutcome[]> {
    await this.#marks.refresh('committed');
    const { outcomes, lanes } = await this.#prepare(letters, options);
    for (const { letter: id, topicId, topic, partition } of [...lanes.values()].flat()) {
      const mark = this.#marks.of(id, topicId);
      if (mark !== undefined && options.again !== true) outcomes.set(id, { outcome: 'existing', id, ...markOf(mark) });
      else outcomes.set(id, { outcome: 'ready', id, to: { topic, partition } });
    }
    return letters.map(({ id }) => outcomes.get(id)!);
  }

  /** What is to be sent, by topics of letters, and what is refused. */
  async #prepare(letters: readonly RecordLetter[], options: RedriveOptions) {
    const outcomes = new Map<string, RedriveOutcome>();
    const lanes = new Map<string, Sending[]>();
    const ids = new Map<string, string>();
    for (const letter of letters) {
      const { topic } = readLetterId(letter.id)!;
      try {
        if (!ids.has(topic)) ids.set(topic, await topicIdOf(this.#parts.log, topic, letter.id));
        const target = await this.#target(letter, options);
        const lane = lanes.get(topic) ?? [];
        lanes.set(topic, lane);
        lane.push({ letter: letter.id, topicId: ids.get(topic)!, ...target });
      } catch (thrown) {
        if (!isFlowError(thrown)) throw thrown;
        outcomes.set(letter.id, outcomeOf(letter.id, thrown));
      }
    }
    return { outcomes, lanes };
  }

  async #target(letter: RecordLetter, { change = {} }: RedriveOptions): Promise<RedriveTarget> {
    const { log, target } = this.#parts;
    return (await target?.(letter, change)) ?? redriveTarget(log, letter, change);
  }

  async #find(id: string) {
    const read = readLetterId(id);
    if (read === undefined) throw unknownLetter(id);
    const { topic, position } = read;
    const topicId = await topicIdOf(this.#parts.log, topic, id);
    const place = { topic, partition: 0, position };
    const letter = await recordAt(this.#parts.log, place, (view, i) => readLetter(view, i, topic));
    if (letter === undefined) throw unknownLetter(id);
    return { letter, topicId, topic };
  }

  #marked(letter: RecordLetter, topicId: string): RecordLetter {
    const mark = this.#marks.of(letter.id, topicId);
    return mark === undefined ? letter : { ...letter, redriven: markOf(mark) };
  }
}

/** All topics of dead letters of records. */
async function letterTopics(log: Log): Promise<readonly string[]> {
  return (await log.admin.list()).filter((topic) => readLetterId(`${topic}:0`) !== undefined).sort();
}

/** An application that has a topic of its own has no letters elsewhere; others share one, and letters tell whose they are. */
function topicsOf(application: string | undefined, topics: readonly string[]): readonly string[] {
  const own = application === undefined ? undefined : deadLetterTopic(application);
  return own !== undefined && topics.includes(own) ? [own] : topics;
}

function fits(letter: RecordLetter, { application, since, until, redriven, where }: RecordLetterQuery): boolean {
  if (application !== undefined && letter.application !== application) return false;
  if (since !== undefined && letter.at < since) return false;
  if (until !== undefined && letter.at >= until) return false;
  if (redriven !== undefined && (letter.redriven !== null) !== redriven) return false;
  return where === undefined || where(letter);
}

async function topicIdOf(log: Log, topic: string, id: string): Promise<string> {
  const found = await log.admin.describe(topic);
  if (found === undefined) throw unknownLetter(id);
  return found.id;
}

export function unknownLetter(id: string): FlowError {
  return new FlowError('dead-letter.unknown', `there is no dead letter ${id}; \`nodeflow dead-letters\` lists them`);
}

export function outcomeOf(id: string, sent: Sent): RedriveOutcome {
  if (isFlowError(sent)) return { outcome: 'refused', id, code: sent.code, why: sent.message };
  const { existing, ...rest } = sent;
  return { outcome: existing ? 'existing' : 'redriven', ...rest };
}
