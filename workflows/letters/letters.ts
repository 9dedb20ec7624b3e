import type { Json, Millis } from '../../core/ids.ts';
import type { FailureClass } from '../../events/events.ts';
import type { LetterPage, Place, RedriveMark, RedriveOutcome } from '../../runtime/runtime.ts';
import type { CommandOptions } from '../workflows.ts';

/**
 * What was given up, of three kinds, in one list:
 *
 * - `command`: a record of the topics of commands that is no command, or that the control plane failed on. Its redrive
 *   sends the command that is given instead, or the same one where it can be read by now, and waits for its answer.
 * - `node`: a node of an execution whose attempts were spent, by its policy `dead-letter`. Its redrive begins the node
 *   again, with another input where one is given. Its id is a token, such as `d3-2-~order-7`.
 * - `record`: a record that a streaming segment, or an application of the DSL, could not take. Its redrive sends it to where
 *   it was read from, as `runtime/letters.ts` says. One of a segment is sent while the segment runs, in a streaming
 *   execution or what goes on from there: what has an end reads nothing beyond it, and is refused with what to do instead.
 *
 * A redrive is a command: twice, by whomever and whatever crashes, is as once, and who redrove it and when is told. For
 * `command` and `record` the mark is written in one transaction with what is sent, for `node` with the step that takes it;
 * they stand in `nf.redrives`. A command that was sent so and then rejected counts as redriven: correct it, and send it
 * with `again`.
 */
export type LetterKind = 'command' | 'node' | 'record';

export interface LetterView {
  readonly id: string;
  readonly kind: LetterKind;
  /** When it was given up. */
  readonly at: Millis;
  /** Whose plan read it; null of nodes. */
  readonly application: string | null;
  readonly task: string | null;
  readonly workflow: string | null;
  readonly execution: string | null;
  /** Of the document; of an application of the DSL that of its plan. */
  readonly node: string | null;
  readonly iteration: string;
  /** Where it was read; null of nodes, and where it is not known. */
  readonly from: Place | null;
  /** `exhausted` of nodes; `undecodable`, `failed`, or what is wrong with its time. */
  readonly reason: string;
  readonly class: FailureClass | null;
  readonly code: string | null;
  readonly message: string;
  /** How often what it holds had been redriven before it was given up. */
  readonly redrives: number;
  /** The last time that it was redriven itself. */
  readonly redriven: RedriveMark | null;
}

export interface WholeLetter extends LetterView {
  /** What was read; null of nodes. Secrets are hidden in it, but in a raw one. */
  readonly record: {
    readonly key: ShownBytes | null;
    readonly value: ShownBytes | null;
    readonly timestamp: Millis;
    readonly headers: readonly { readonly name: string; readonly value: ShownBytes | null }[];
    /** Names of headers that were left out of the letter, since they hold secrets. */
    readonly hidden: readonly string[];
    /** Key and value are those that the node had. */
    readonly ofNode: boolean;
  } | null;
  /** What the node was called with; null of others. */
  readonly input: Json;
}

export interface ShownBytes {
  readonly bytes: number;
  /** Where it is UTF-8: what it says, as JSON where it is that. */
  readonly text?: string;
  readonly json?: Json;
  /** Of a raw letter: all of it, as it came. */
  readonly base64?: string;
}

export interface LetterQuery {
  readonly kind?: LetterKind;
  readonly application?: string;
  readonly workflow?: string;
  readonly execution?: string;
  readonly node?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly redriven?: boolean;
  readonly since?: Millis;
  readonly until?: Millis;
  /** Default 50, at most 500. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** What is sent in place of what was given up; what is left out stays. */
export interface LetterChange {
  /** Of a node what arrives at `in`, of a command the message, of a record its value as JSON; null: a record without a value. */
  readonly value?: Json;
  /** Of records and commands: the very bytes. */
  readonly valueBase64?: string;
  /** Of records. */
  readonly key?: string | null;
  readonly keyBase64?: string;
  readonly timestamp?: Millis;
  /** All of them. */
  readonly headers?: { readonly [name: string]: string };
}

export interface RedriveLetter extends CommandOptions {
  readonly change?: LetterChange;
  /** Also where it was redriven before; twice under one `id` is once. Not of nodes, which give another letter. */
  readonly again?: boolean;
}

export interface RedrivenLetter extends RedriveMark {
  readonly id: string;
  readonly kind: LetterKind;
  /** It had been redriven before: nothing was sent now, and the mark is of that time. */
  readonly existing: boolean;
  /** Which execution took it, in which step; null of records. */
  readonly execution: string | null;
  readonly seq: number | null;
}

export interface RedriveMany extends Pick<CommandOptions, 'by'> {
  /** These alone; else what the query finds. */
  readonly ids?: readonly string[];
  /** Of records and commands, for all of them. */
  readonly change?: Pick<LetterChange, 'timestamp' | 'headers'>;
  /** Tells what it would do, and does nothing. */
  readonly preview?: boolean;
}

/** Dead letters, wherever they are asked for: {@link Workflows} has these, and so has a log by itself. */
export interface Letters {
  /** Newest first: by what is committed, whoever gave it up. */
  deadLetters(query?: LetterQuery): Promise<LetterPage<LetterView>>;
  /** All of one; `raw`: bytes as they came, with nothing hidden. Throws `dead-letter.unknown`. */
  deadLetter(id: string, options?: { readonly raw?: boolean }): Promise<WholeLetter>;
  /** Does again what was given up. Redriving a dead letter twice is as once. Fails with `dead-letter.not-redrivable`. */
  redrive(deadLetter: string, options?: RedriveLetter): Promise<RedrivenLetter>;
  /**
   * The same of those that are named, or of a page of those that the query finds and that were not redriven. Tells of each
   * in this order, of what is refused too.
   */
  redriveAll(query: LetterQuery, options?: RedriveMany): Promise<RedrivenPage>;
}

/** Of a page of letters, what became of each. */
export interface RedrivenPage {
  readonly rows: readonly (RedriveOutcome & { readonly kind: LetterKind | null })[];
  readonly next: string | null;
}
