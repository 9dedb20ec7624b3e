import type { Outputs } from '../checkpoints/checkpoints.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { type ErrorCode, isFlowError, messageOf } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import { encodeHeaders, type HeaderPair, readHeaders } from '../log/batch.ts';
import type { CallResults, DropReason, Rec } from '../operators/operators.ts';
import { redact, redactText } from '../telemetry/telemetry.ts';
import type { AbsurdTimePolicy, FailurePolicy } from '../topology/plan.ts';
import type { Drops } from './drops.ts';
import type { Input } from './inputs.ts';
import { FIRST_TOLD, OF_NODE } from './letter-record.ts';
import { RecordError } from './record-error.ts';
import { AbsurdTime } from './record-time.ts';
import type { LetterWords } from './runtime.ts';
import type { SkipLog } from './skip-log.ts';

export interface FailuresOptions {
  readonly application: string;
  /** The topic. */
  readonly deadLetters: string;
  readonly task: string;
  /** All nodes of its stage. */
  readonly nodes: readonly string[];
  readonly step: Step;
  readonly outputs: Outputs;
  readonly drops: Drops;
  readonly skips: SkipLog;
  readonly clock: Pick<Clock, 'now'>;
  readonly words: LetterWords;
  /** The one topic partition that the task reads, where it is one. */
  readonly only?: { readonly topic: string; readonly partition: number } | undefined;
  /** Of operators. */
  readonly onFailure: FailurePolicy;
  /** Of a source node, for records that cannot be decoded. */
  onUndecodable(node: string): FailurePolicy;
  /** Of a source node, for records whose time nothing can go by. */
  onAbsurdTime(node: string): AbsurdTimePolicy;
  /** The node whose code was running, where it can be told. */
  failingNode(input: Input): string | undefined;
}

/**
 * Decides what becomes of a record on which something failed. It is called after the record's step was rolled back,
 * and opens a new one: the dead letter or the counter is what that step then settles. With policy `fail` it throws.
 */
export class Failures {
  readonly #options: FailuresOptions;

  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  handle(thrown: unknown, input: Input): void {
    const { step, drops, skips } = this.#options;
    if (thrown instanceof AbsurdTime) {
      this.#absurd(thrown, input);
      return;
    }
    // Not the record is at fault, but what waits before it: no policy about records helps.
    if (isFlowError(thrown, 'suppress.full')) throw thrown;
    const undecodable = input.undecodable();
    const node = undecodable === undefined ? (this.#options.failingNode(input) ?? input.node) : input.node;
    const reason = undecodable ?? messageOf(thrown);
    const policy = undecodable === undefined ? this.#options.onFailure : this.#options.onUndecodable(input.node);
    const at = `${input.topic}/${input.partition} position ${input.record.position}`;
    if (policy === 'fail') throw this.#fatal(thrown, undecodable !== undefined, at, node, reason);
    step.begin();
    if (policy === 'skip') {
      drops.add(node, undecodable === undefined ? 'failed' : 'undecodable');
      skips.add(this.#name(node), { at }, `record skipped: ${reason}`);
      return;
    }
    skips.add(this.#name(node), { at }, `record put among the dead letters: ${reason}`);
    input.load();
    const [why, code] = undecodable === undefined ? (['failed', codeOf(thrown)] as const) : UNDECODABLE;
    this.#deadLetter(input, node, { message: reason, reason: why, code });
  }

  #absurd(thrown: AbsurdTime, input: Input): void {
    const { step, drops, skips, onAbsurdTime } = this.#options;
    const { node } = input;
    const policy = onAbsurdTime(node);
    const at = `${input.topic}/${input.partition} position ${input.record.position}`;
    if (policy === 'fail') {
      throw new RecordError(
        'record.failed',
        `the record at ${at} cannot be placed in time: ${thrown.message}; correct its writer or the \`time\` of ${node}, or let it go with onAbsurdTime: 'skip', 'dead-letter' or 'clamp'`,
        { nodes: [node], what: `the record at ${at}`, reason: `it cannot be placed in time: ${thrown.message}` },
      );
    }
    step.begin();
    skips.add(
      this.#name(node),
      { at },
      `record ${policy === 'skip' ? 'skipped' : 'put among the dead letters'}: ${thrown.message}`,
    );
    const { message, reason } = thrown;
    if (policy === 'dead-letter') this.#deadLetter(input, node, { message, reason, code: 'record.failed' });
    else drops.add(node, thrown.reason);
  }

  /** User code failed on a result that no single record brought: a window that closed. Throws with policy `fail`. */
  handleScan(thrown: unknown): void {
    const { onFailure, skips, task, step, drops, nodes } = this.#options;
    const reason = messageOf(thrown);
    if (onFailure === 'fail') {
      throw new RecordError(
        'record.failed',
        `task ${task} failed on the result of a closed window: ${reason}; correct the code behind it, or let such results go with onFailure 'skip'`,
        { nodes, what: 'the result of a closed window', reason, cause: thrown },
      );
    }
    skips.add('window-close', {}, `result of a closed window skipped: ${reason}`);
    step.begin();
    drops.add('window-close', 'failed');
    step.settle();
  }

  /** User code failed on a message that was posted, whose owner is told where this does not throw: with policy `fail`. */
  handleMessage(thrown: unknown): void {
    const { onFailure, skips, task, nodes } = this.#options;
    const reason = messageOf(thrown);
    if (onFailure === 'fail') {
      throw new RecordError(
        'record.failed',
        `task ${task} failed on a message that was posted to it: ${reason}; correct the code behind it, or let such messages go back to their owner with onFailure 'skip'`,
        { nodes, what: 'a message that was posted', reason, cause: thrown },
      );
    }
    skips.add('message', {}, `message given back to its owner: ${reason}`);
  }

  /** A call has failed for good, or what lies behind has failed on its result. Throws with policy `fail`. */
  handleCall(thrown: unknown, results: CallResults): void {
    const { onFailure, skips, step, drops } = this.#options;
    const { node } = results;
    const reason = messageOf(thrown);
    if (onFailure === 'fail') {
      throw new RecordError(
        'record.failed',
        `node ${node} failed on a call or its result: ${reason}; correct the code or the service, or let such records go with onFailure 'dead-letter' or 'skip'`,
        { nodes: [node], what: 'a call or its result', reason, cause: thrown },
      );
    }
    step.begin();
    const record = results.giveUp();
    const at = { position: record.position };
    if (onFailure === 'skip') {
      drops.add(node, 'failed');
      skips.add(this.#name(node), at, `record skipped: ${reason}`);
    } else {
      skips.add(this.#name(node), at, `record put among the dead letters: ${reason}`);
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record;
      const original = {
        key: { bytes: keyBytes, start: keyStart, end: keyEnd },
        value: { bytes: valueBytes, start: valueStart, end: valueEnd },
      };
      const { only } = this.#options;
      const from = only === undefined ? [] : [...placeHeaders(only), ['nf.bytes', OF_NODE] as const];
      this.#write(record, original, node, { message: reason, reason: 'failed', code: codeOf(thrown) }, from);
    }
    step.settle();
  }

  #name(node: string): string {
    return this.#options.words.owners[node] ?? node;
  }

  #fatal(thrown: unknown, undecodable: boolean, at: string, node: string, reason: string): RecordError {
    const about = { nodes: [node], what: `the record at ${at}`, reason, cause: thrown };
    if (undecodable) {
      return new RecordError(
        'record.undecodable',
        `the record at ${at} cannot be decoded (${reason}); correct the schema of node ${node}, or let it go with onUndecodable: 'dead-letter' or 'skip'`,
        { ...about, reason: `it cannot be decoded (${reason})` },
      );
    }
    return new RecordError(
      'record.failed',
      `node ${node} failed on the record at ${at}: ${reason}; correct the code, or let such records go with onFailure 'dead-letter' or 'skip'`,
      about,
    );
  }

  #deadLetter(input: Input, node: string, why: Why): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = input.original();
    const key = { bytes, start: keyStart, end: keyEnd };
    const value = { bytes, start: valueStart, end: valueEnd };
    this.#write(input.record, { key, value }, node, why, placeHeaders(input));
  }

  #write(
    record: Rec,
    { key, value }: { readonly key: Part; readonly value: Part },
    node: string,
    { message, reason, code }: Why,
    from: readonly Header[],
  ): void {
    const { outputs, application, deadLetters, task, clock, words } = this.#options;
    const owner = words.owners[node];
    const headers = headerSection(record, [
      [FIRST_TOLD, reason],
      ['nf.code', code],
      ['nf.message', redactText(message).slice(0, 1000)],
      ['nf.node', node],
      ['nf.application', application],
      ['nf.task', task],
      ...from,
      ['nf.position', String(record.position)],
      ['nf.at', String(clock.now())],
      ...(owner === undefined ? [] : [['nf.owner', owner] as const]),
      ...Object.entries(words.told).map(([name, text]) => [`nf.${name}`, text] as const),
    ]);
    const builder = outputs.builder(deadLetters, 0);
    const { timestamp } = record;
    builder.appendWithHeaders(
      timestamp >= 0 && Number.isSafeInteger(timestamp) ? timestamp : 0,
      key.bytes,
      key.start,
      key.end,
      value.bytes,
      value.start,
      value.end,
      headers,
      0,
      headers.length,
    );
    this.#options.drops.deadLetter(node, reason);
    if (builder.size >= outputs.batchBytes) outputs.full = true;
  }
}

type Header = readonly [name: string, text: string];

interface Why {
  readonly message: string;
  readonly reason: DropReason;
  readonly code: ErrorCode;
}

const UNDECODABLE = ['undecodable', 'record.undecodable'] as const;

/** A key or a value as it came; a start of -1 is null. */
interface Part {
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
}

function codeOf(thrown: unknown): ErrorCode {
  return isFlowError(thrown) ? thrown.code : 'record.failed';
}

function placeHeaders({ topic, partition }: { readonly topic: string; readonly partition: number }): readonly Header[] {
  return [
    ['nf.topic', topic],
    ['nf.partition', String(partition)],
  ];
}

/** What the record came with, but for headers that hold secrets, and behind that what the letter tells. */
function headerSection({ headerBytes, headerStart, headerEnd }: Rec, told: readonly Header[]): Bytes {
  const all = headerStart < 0 ? [] : readHeaders(headerBytes, headerStart, headerEnd);
  const own = all.filter((header) => !isSecret(header));
  const hidden = all.filter((header) => !own.includes(header)).map(({ name }) => name);
  const rest = hidden.length === 0 ? told : [...told, ['nf.hidden', hidden.join(', ')] as const];
  return encodeHeaders([...own, ...rest.map(([name, text]) => ({ name, value: Buffer.from(text) }))]);
}

/** Letters lie where more people look than at the topic that the record came from. */
function isSecret({ name, value }: HeaderPair): boolean {
  if (value === null) return false;
  const text = value.toString();
  return redactText(text) !== text || (redact({ [name]: text }) as { readonly [name: string]: unknown })[name] !== text;
}
