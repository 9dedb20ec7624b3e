import type { Position } from '../core/ids.ts';
import { createOnce, type Log, type TopicSettings } from '../log/log.ts';
import { eachRecord } from './each-record.ts';
import type { Place, RedriveMark } from './letters.ts';

/** What was redriven: by the id of the letter the last time of it. Of all kinds of letters, also of nodes of workflows. */
export const REDRIVES_TOPIC = 'nf.redrives';
export const REDRIVES_SETTINGS: TopicSettings = { partitions: 1, cleanup: 'compact' };

/** The value of a record of {@link REDRIVES_TOPIC}, as JSON; whoever reads it takes what is not there as its default. */
export interface StoredMark {
  /** Of this value. A later one is read by what of it is known here. */
  readonly form: number;
  readonly at: number;
  readonly by: string | null;
  readonly to: Place | null;
  readonly times: number;
  /** The topic of the letter as it was made; null where letters have ids of their own. */
  readonly topicId: string | null;
  /** Ids under which it was redriven again, the newest last. */
  readonly ids: readonly string[];
}

/** So many ids are kept of a letter. */
export const MOST_IDS = 32;

/** The marks there are, as far as they were read. */
export class RedriveMarks {
  readonly #log: Log;
  readonly #marks = new Map<string, StoredMark>();
  /** The topic as it was made of which they are. */
  #topicId: string | undefined;
  #next: Position = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  async prepare(): Promise<void> {
    if ((await this.#log.admin.describe(REDRIVES_TOPIC)) !== undefined) return;
    await createOnce(this.#log.admin, REDRIVES_TOPIC, REDRIVES_SETTINGS);
  }

  /** Reads what has come: what is committed, or `decided`, waiting for transactions that are open. */
  refresh(how: 'committed' | 'decided'): Promise<void> {
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#read(how));
    return this.#reading;
  }

  /** Of a letter in a topic that was made with that id. */
  of(letter: string, topicId: string | null): StoredMark | undefined {
    const mark = this.#marks.get(letter);
    return mark === undefined || mark.topicId === topicId ? mark : undefined;
  }

  async #read(how: 'committed' | 'decided'): Promise<void> {
    const found = await this.#log.admin.describe(REDRIVES_TOPIC);
    if (found?.id !== this.#topicId) {
      this.#marks.clear();
      this.#next = 0;
      this.#topicId = found?.id;
    }
    if (found === undefined) return;
    const { end, stable } = await this.#log.admin.bounds(REDRIVES_TOPIC, 0);
    const until = how === 'decided' ? end : stable;
    await eachRecord(
      this.#log,
      REDRIVES_TOPIC,
      0,
      ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }, i) => {
        if (keyStarts[i]! < 0 || valueStarts[i]! < 0) return;
        const letter = bytes.toString('utf8', keyStarts[i]!, keyEnds[i]!);
        const read = readMark(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!));
        if (read !== undefined) this.#marks.set(letter, read);
      },
      this.#next,
      until,
    );
    this.#next = Math.max(this.#next, until);
  }
}

/** Undefined where it is none, which nothing of the engine writes. */
export function readMark(text: string): StoredMark | undefined {
  try {
    const {
      form = 1,
      at = 0,
      by = null,
      to = null,
      times = 1,
      topicId = null,
      ids = [],
    } = JSON.parse(text) as Partial<StoredMark>;
    return { form, at, by, to, times, topicId, ids };
  } catch {
    return undefined;
  }
}

export function markOf({ at, by, to, times }: StoredMark): RedriveMark {
  return { at, by, to, times };
}
