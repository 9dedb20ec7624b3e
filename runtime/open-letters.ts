import { FlowError, isFlowError } from '../core/errors.ts';
import type { Position } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import { Backwards } from './backwards.ts';
import { eachRecord } from './each-record.ts';
import { pageOf } from './letter-pages.ts';
import { readLetter, readLetterId } from './letter-record.ts';
import type {
  LetterPage,
  RecordLetter,
  RecordLetterQuery,
  RecordLetters,
  RecordLettersParts,
  Redriven,
  RedriveOptions,
  RedriveOutcome,
} from './letters.ts';
import { markOf, RedriveMarks } from './redrive-marks.ts';
import { redriveTarget } from './redrive-target.ts';
import { Redriver, type Sending, type Sent } from './redriver.ts';
import { deadLetterTopic } from './stage.ts';

/** The dead letters of a log. Nothing stays open between two calls. */
export function openRecordLetters(parts: RecordLettersParts): RecordLetters {
  return new OpenLetters(parts, new RedriveMarks(parts.log));
}

class OpenLetters implements RecordLetters {
  readonly #log: Log;
  readonly #marks: RedriveMarks;
  readonly #redriver: Redriver;

  constructor({ log, clock }: RecordLettersParts, marks: RedriveMarks) {
    this.#log = log;
    this.#marks = marks;
    this.#redriver = new Redriver({ log, clock, marks });
  }

  async list(query: RecordLetterQuery): Promise<LetterPage<RecordLetter>> {
    const topics = await letterTopics(this.#log);
    const ids = await this.#refresh(topics);
    const asked = topicsOf(query.application, topics);
    return pageOf(
      query,
      (below) => lettersOf(this.#log, asked, below, (letter, topic) => this.#marked(letter, ids.get(topic)!)),
      (letter) => fits(letter, query),
    );
  }

  async show(id: string): Promise<RecordLetter> {
    const { letter, topicId } = await this.#find(id);
    await this.#marks.refresh('committed');
    return this.#marked(letter, topicId);
  }

  async redrive(id: string, options: RedriveOptions = {}): Promise<Redriven> {
    const { letter, topicId, topic } = await this.#find(id);
    const target = await redriveTarget(this.#log, letter, options.change);
    const [sent] = await this.#redriver.send(topic, [{ letter: id, topicId, ...target }], options);
    if (isFlowError(sent)) throw sent;
    return sent!;
  }

  async redriveAll(letters: readonly RecordLetter[], options: RedriveOptions = {}): Promise<readonly RedriveOutcome[]> {
    const outcomes = new Map<string, RedriveOutcome>();
    const lanes = new Map<string, Sending[]>();
    const ids = new Map<string, string>();
    for (const letter of letters) {
      const { topic } = readLetterId(letter.id)!;
      try {
        if (!ids.has(topic)) ids.set(topic, await topicIdOf(this.#log, topic, letter.id));
        const target = await redriveTarget(this.#log, letter, options.change);
        const lane = lanes.get(topic) ?? [];
        lanes.set(topic, lane);
        lane.push({ letter: letter.id, topicId: ids.get(topic)!, ...target });
      } catch (thrown) {
        if (!isFlowError(thrown)) throw thrown;
        outcomes.set(letter.id, outcomeOf(letter.id, thrown));
      }
    }
    for (const [topic, sendings] of lanes) {
      const sent = await this.#redriver.send(topic, sendings, options);
      sent.forEach((each, i) => void outcomes.set(sendings[i]!.letter, outcomeOf(sendings[i]!.letter, each)));
    }
    return letters.map(({ id }) => outcomes.get(id)!);
  }

  async #find(id: string) {
    const read = readLetterId(id);
    if (read === undefined) throw unknownLetter(id);
    const { topic, position } = read;
    const topicId = await topicIdOf(this.#log, topic, id);
    let letter: RecordLetter | undefined;
    const take = (...[view, i]: Parameters<Parameters<typeof eachRecord>[3]>) => {
      if (view.positions[i] === position) letter = readLetter(view, i, topic);
    };
    await eachRecord(this.#log, topic, 0, take, position, position + 1);
    if (letter === undefined) throw unknownLetter(id);
    return { letter, topicId, topic };
  }

  async #refresh(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    await this.#marks.refresh('committed');
    const found = await Promise.all(topics.map((topic) => this.#log.admin.describe(topic)));
    return new Map(topics.map((topic, i) => [topic, found[i]?.id ?? '']));
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

function lettersOf(
  log: Log,
  topics: readonly string[],
  below: (topic: string, partition: number) => Position | undefined,
  mark: (letter: RecordLetter, topic: string) => RecordLetter,
): Promise<readonly Backwards<RecordLetter>[]> {
  return Promise.all(
    topics.map((topic) =>
      Backwards.open(log, { topic, partition: 0, below: below(topic, 0) }, (view, i) =>
        mark(readLetter(view, i, topic), topic),
      ),
    ),
  );
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
