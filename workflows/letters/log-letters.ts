import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Log } from '../../log/log.ts';
import { type LetterPage, openRecordLetters, type RecordLetter, type RecordLetters } from '../../runtime/runtime.ts';
import type {
  LetterQuery,
  Letters,
  LetterView,
  RedriveLetter,
  RedriveMany,
  RedrivenLetter,
  RedrivenPage,
  WholeLetter,
} from './letters.ts';
import { redriveMany } from './redrive-many.ts';
import { bytesOfChange, fits, isOfCommands, isOfSegments, viewOfRecord, wholeRecord } from './shown.ts';

/**
 * The dead letters that a log has of records, where no workflows are served over it: those of applications are redriven;
 * those of workflows are shown, and redriven where these are served.
 */
export class LogLetters implements Letters {
  readonly #records: RecordLetters;

  constructor(parts: { readonly log: Log; readonly clock: Clock }) {
    this.#records = openRecordLetters({
      ...parts,
      target: async (letter) => {
        checkOfApplication(letter);
        return undefined;
      },
    });
  }

  async deadLetters(query: LetterQuery = {}): Promise<LetterPage<LetterView>> {
    const { rows, next } = await this.#page(query);
    return { rows: rows.map(viewOfRecord), next };
  }

  async deadLetter(id: string, { raw = false }: { readonly raw?: boolean } = {}): Promise<WholeLetter> {
    const letter = await this.#records.show(id);
    return { ...viewOfRecord(letter), record: wholeRecord(letter, raw), input: null };
  }

  async redrive(id: string, { change, ...options }: RedriveLetter = {}): Promise<RedrivenLetter> {
    const sent = await this.#records.redrive(id, { ...options, change: bytesOfChange(id, change) });
    return { ...sent, kind: 'record', execution: null, seq: null };
  }

  async redriveAll(query: LetterQuery, { ids, preview = false, by, change }: RedriveMany = {}): Promise<RedrivenPage> {
    const sent = { change: bytesOfChange('what was chosen', change), ...(by === undefined ? {} : { by }) };
    return redriveMany<RecordLetter>(query, ids, {
      page: (asked) => this.#page(asked),
      find: (id) => this.#records.show(id),
      redrive: (letters) => (preview ? this.#records.preview(letters, sent) : this.#records.redriveAll(letters, sent)),
      viewOf: viewOfRecord,
    });
  }

  #page(query: LetterQuery): Promise<LetterPage<RecordLetter>> {
    const { application, limit, after } = query;
    return this.#records.list({
      where: (letter) => fits(viewOfRecord(letter), query),
      ...(application === undefined ? {} : { application }),
      ...(limit === undefined ? {} : { limit }),
      ...(after === undefined ? {} : { after }),
    });
  }
}

function checkOfApplication(letter: RecordLetter): void {
  if (!isOfCommands(letter) && !isOfSegments(letter)) return;
  throw new FlowError(
    'dead-letter.not-redrivable',
    `${letter.id} cannot be redriven from the log alone: it is of workflows; redrive it where they are served, without --log`,
  );
}
