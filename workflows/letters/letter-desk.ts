import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import {
  type LetterPage,
  letterBytes,
  openRecordLetters,
  outcomeOf,
  pageOf,
  type RecordLetter,
  type RecordLetters,
  type RedriveOutcome,
  unknownLetter,
} from '../../runtime/runtime.ts';
import { redact } from '../../telemetry/telemetry.ts';
import type { Answers } from '../control/answers.ts';
import { type Commands, rejection } from '../control/commands.ts';
import type { CommandMessage } from '../control/messages.ts';
import { CONTROL_APPLICATION } from '../control/program.ts';
import { readToken } from '../lifecycle/lifecycle.ts';
import { commandOf, commandTarget, isCommand } from './command-letters.ts';
import type {
  LetterQuery,
  LetterView,
  RedriveLetter,
  RedriveMany,
  RedrivenLetter,
  RedrivenPage,
  WholeLetter,
} from './letters.ts';
import { findNodeLetter, type NodeLetter, nodeLetters } from './node-letters.ts';
import { redriveMany, told } from './redrive-many.ts';
import { checkSegmentReads, type Look } from './segment-life.ts';
import { bytesOfChange, fits, isOfCommands, isOfSegments, unfit, viewOfRecord, wholeRecord } from './shown.ts';

export interface LetterDeskParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly partitions: number;
  readonly commands: Commands;
  readonly answers: Answers;
  readonly look: Look;
}

type Letter = RecordLetter | NodeLetter;

/** Nodes that are redriven at a time, of many. */
const AT_A_TIME = 16;

/** Dead letters of all kinds. */
export class LetterDesk {
  readonly #parts: LetterDeskParts;
  readonly #records: RecordLetters;

  constructor(parts: LetterDeskParts) {
    const { log, clock } = parts;
    this.#parts = parts;
    this.#records = openRecordLetters({
      ...{ log, clock },
      target: async (letter, change) => (isOfCommands(letter) ? commandTarget(letter, change, parts) : undefined),
    });
  }

  async list(query: LetterQuery = {}): Promise<LetterPage<LetterView>> {
    const { rows, next } = await this.#page(query);
    return { rows: rows.map(viewOf), next };
  }

  async show(id: string, raw: boolean): Promise<WholeLetter> {
    const letter = await this.#find(id);
    if (isRecord(letter)) return { ...viewOfRecord(letter), record: wholeRecord(letter, raw), input: null };
    const { input, ...view } = letter;
    return { ...view, record: null, input: raw ? input : (redact(input) as Json) };
  }

  async redrive(id: string, options: RedriveLetter = {}): Promise<RedrivenLetter> {
    const letter = await this.#find(id);
    if (!isRecord(letter)) return this.#redriveNode(letter, options);
    if (isOfCommands(letter)) return this.#redriveCommand(letter, options);
    if (isOfSegments(letter)) await checkSegmentReads(letter, this.#parts.look);
    const sent = await this.#records.redrive(id, { ...options, change: bytesOfChange(id, options.change) });
    return { ...sent, kind: 'record', execution: null, seq: null };
  }

  redriveAll(query: LetterQuery, options: RedriveMany = {}): Promise<RedrivenPage> {
    return redriveMany<Letter>(query, options.ids, {
      page: (asked) => this.#page(asked),
      find: (id) => this.#find(id),
      redrive: (letters) => this.#many(letters, options),
      viewOf,
    });
  }

  async #page(query: LetterQuery): Promise<LetterPage<Letter>> {
    const { log, partitions } = this.#parts;
    const { kind, application = kind === 'command' ? CONTROL_APPLICATION : undefined } = query;
    const of = application === undefined ? {} : { application };
    return pageOf<Letter>(
      query,
      async (below) => {
        const records = kind === 'node' ? [] : await this.#records.partitions(of, below);
        if ((kind ?? 'node') !== 'node' || application !== undefined) return records;
        return [...records, ...(await nodeLetters(log, partitions, below, await this.#records.marks()))];
      },
      (letter) => fits(viewOf(letter), query),
      (letter) => (isRecord(letter) ? letterBytes(letter) : 0),
    );
  }

  async #find(id: string): Promise<Letter> {
    if (readToken(id)?.kind !== 'letter') return this.#records.show(id);
    const { log, partitions } = this.#parts;
    const found = await findNodeLetter(log, partitions, id, await this.#records.marks());
    if (found === undefined) throw unknownLetter(id);
    return found;
  }

  async #redriveNode(letter: NodeLetter, options: RedriveLetter): Promise<RedrivenLetter> {
    const { id, redriven } = letter;
    const execution = letter.execution!;
    const { change = {}, again, by, id: command = uniqueId() } = options;
    const { value, ...rest } = change;
    const others = Object.keys(rest);
    if (others.length > 0)
      throw unfit(id, `it is of a node, which has an input and no ${others.join(', ')}; give value`);
    if (again === true) throw unfit(id, 'a node that is given up again has another letter; redrive that one');
    if (redriven !== null) return { id, kind: 'node', existing: true, ...redriven, execution, seq: null };
    const taken = await this.#parts.commands.send({
      ...{ x: execution, c: { type: 'redrive', deadLetter: id, ...(value === undefined ? {} : { input: value }) } },
      ...{ id: command, ...(by === undefined ? {} : { by }) },
    });
    const { seq, rejected } = taken;
    const marked = (await this.#records.marks())(id);
    // another was quicker, or it was sent before and its answer was lost
    const existing = rejected?.code === 'workflow.duplicate' || (rejected !== undefined && marked !== null);
    if (rejected !== undefined && !existing) throw rejection(rejected);
    const mark = marked ?? { at: this.#parts.clock.now(), by: by ?? null, to: null, times: 1 };
    return { id, kind: 'node', existing, ...mark, execution, seq };
  }

  async #redriveCommand(letter: RecordLetter, options: RedriveLetter): Promise<RedrivenLetter> {
    const { answers } = this.#parts;
    const { by, again = false, id: named = uniqueId() } = options;
    const { id, redriven } = letter;
    if (redriven !== null && !again) {
      return { id, kind: 'command', existing: true, ...redriven, execution: null, seq: null };
    }
    const given = bytesOfChange(id, options.change);
    const message = commandOf(letter, given, again ? `redrive ${id} ${named}` : undefined);
    const change = { ...given, value: Buffer.from(JSON.stringify(message)) };
    // of one that is not sent after all nobody hears more: it is forgotten with its time-out
    const answer = isCommand(message) ? answers.to(message.id) : undefined;
    answer?.catch(() => undefined);
    const sent = await this.#records.redrive(id, { change, again, id: named, ...(by === undefined ? {} : { by }) });
    const plain = { ...sent, kind: 'command', execution: null, seq: null } as const;
    if (sent.existing || answer === undefined) return plain;
    const { seq, rejected } = await answer;
    if (rejected !== undefined && rejected.code !== 'workflow.duplicate') throw rejection(rejected);
    return { ...plain, execution: (message as CommandMessage).x, seq };
  }

  async #many(letters: readonly Letter[], options: RedriveMany): Promise<readonly RedriveOutcome[]> {
    const { preview = false, by, change } = options;
    const sent = { change: bytesOfChange('what was chosen', change), ...(by === undefined ? {} : { by }) };
    const nodes = letters.filter((letter) => !isRecord(letter)) as NodeLetter[];
    const records: RecordLetter[] = [];
    const outcomes: RedriveOutcome[] = [];
    const look = remembering(this.#parts.look);
    for (const letter of letters.filter(isRecord)) {
      const refused = isOfSegments(letter) ? await told(() => checkSegmentReads(letter, look)) : undefined;
      if (isFlowError(refused)) outcomes.push(outcomeOf(letter.id, refused));
      else records.push(letter);
    }
    outcomes.push(
      ...(await (preview ? this.#records.preview(records, sent) : this.#records.redriveAll(records, sent))),
    );
    for (let i = 0; i < nodes.length; i += AT_A_TIME) {
      const part = nodes.slice(i, i + AT_A_TIME);
      const one = (letter: NodeLetter) =>
        preview ? previewNode(letter, look) : this.#oneNode(letter, by === undefined ? {} : { by });
      outcomes.push(...(await Promise.all(part.map(one))));
    }
    return outcomes;
  }

  async #oneNode(letter: NodeLetter, options: RedriveLetter): Promise<RedriveOutcome> {
    const done = await told(() => this.#redriveNode(letter, options));
    if (isFlowError(done)) return outcomeOf(letter.id, done);
    const { id, existing, at, by, to, times } = done;
    return outcomeOf(id, { id, existing, at, by, to, times });
  }
}

async function previewNode(letter: NodeLetter, look: Look): Promise<RedriveOutcome> {
  const { id, redriven, execution } = letter;
  if (redriven !== null) return { outcome: 'existing', id, ...redriven };
  const view = await look(execution!);
  if (view !== undefined && view.phase !== 'ended') return { outcome: 'ready', id, to: null };
  const why = view === undefined ? 'is not known any more' : 'has ended; start another one, or fork it';
  return { outcome: 'refused', id, code: 'workflow.ended', why: `execution ${execution} ${why}` };
}

/** Each execution is looked at once. */
function remembering(look: Look): Look {
  const seen = new Map<string, ReturnType<Look>>();
  return (execution) => {
    const found = seen.get(execution) ?? look(execution);
    seen.set(execution, found);
    return found;
  };
}

function isRecord(letter: Letter): letter is RecordLetter {
  return 'record' in letter;
}

function viewOf(letter: Letter): LetterView {
  if (isRecord(letter)) return viewOfRecord(letter);
  const { input: _, ...view } = letter;
  return view;
}
