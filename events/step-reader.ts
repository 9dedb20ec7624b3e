import { type Bytes, unzigzag } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { At, Cause, EndCounts, FailureInfo, StepEvent, StepRecord } from './events.ts';
import { BRANCH, CAUSES, LAST, STATUSES, STEP_VERSION, TIMERS } from './step-schema.ts';
import { usualStart } from './step-writer.ts';

/** What stands before the events. */
export interface StepHead extends Omit<StepRecord, 'events'> {
  /** How many events follow. */
  readonly count: number;
}

const ZERO = 0x30;
/** Numbers of so many digits are exact. */
const MOST_DIGITS = 15;

/** Reads step records; one at a time. */
export class StepReader {
  #bytes: Bytes = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #version = STEP_VERSION;
  #hashAt = '';
  #hash = '';

  read(bytes: Bytes, start: number, end: number): StepRecord {
    const { execution, seq, revision, definition, at, cause, count } = this.head(bytes, start, end);
    const events: StepEvent[] = [];
    for (let left = count; left > 0; left = this.#long()) {
      for (; left > 0; left--) events.push(this.#event());
    }
    if (this.#at !== end) throw broken(`has ${end - this.#at} bytes too many`);
    return { execution, seq, revision, definition, at, cause, events };
  }

  head(bytes: Bytes, start: number, end: number): StepHead {
    this.#bytes = bytes;
    this.#at = start + 1;
    this.#end = end;
    this.#version = bytes[start] ?? 0;
    if (this.#version < 1 || this.#version > STEP_VERSION) {
      throw broken(`is of version ${bytes[start]}, and those up to ${STEP_VERSION} are known`);
    }
    const execution = this.#string();
    const seq = this.#long();
    const revision = this.#long();
    const definition = this.#definition();
    const at = this.#long();
    const cause = this.#cause();
    return { execution, seq, revision, definition, at, cause, count: this.#long() };
  }

  #definition(): string {
    if (this.#long() !== 0) return this.#string();
    const start = this.#at;
    this.#at += 32;
    if (this.#at > this.#end) throw broken('is cut short');
    const raw = this.#bytes.toString('latin1', start, this.#at);
    if (raw !== this.#hashAt) {
      this.#hashAt = raw;
      this.#hash = this.#bytes.toString('hex', start, this.#at);
    }
    return this.#hash;
  }

  #cause(): Cause {
    switch (this.#long()) {
      case 0:
        return { kind: 'command', type: this.#string(), id: this.#string(), by: this.#nullable() };
      case 1:
        return { kind: 'timer', timer: this.#word(TIMERS), due: this.#long() };
      case 2:
        return { kind: 'continue' };
      default:
        throw broken('has a cause that is not known');
    }
  }

  #event(): StepEvent {
    const branch = this.#long();
    switch (branch) {
      case BRANCH.node: {
        const node = this.#long();
        const iteration = this.#string();
        const attempt = this.#long();
        const was = this.#long();
        const from = was === 0 ? null : STATUSES[was - 1]!;
        const to = this.#word(STATUSES);
        return { type: 'node', node, iteration, attempt, from, to, cause: this.#word(CAUSES) };
      }
      case BRANCH.output: {
        const node = this.#long();
        const iteration = this.#string();
        const port = this.#string();
        const value = this.#json();
        return { type: 'output', node, iteration, port, value, bytes: this.#long() };
      }
      case BRANCH.delivered: {
        const node = this.#long();
        const iteration = this.#string();
        const taken = this.#ints();
        return { type: 'delivered', node, iteration, taken, skipped: this.#ints() };
      }
      case BRANCH.started: {
        const usual = usualStart(this.#string(), this.#string(), this.#json());
        const more = this.#string();
        return more === '' ? usual : { ...usual, ...this.#parsed<object>(more) };
      }
      case BRANCH.ended: {
        const status = this.#word(LAST);
        const degraded = this.#long() !== 0;
        const output = this.#json();
        const text = this.#string();
        const error = text === '' ? null : this.#parsed<FailureInfo>(text);
        const counts = this.#version < 2 ? undefined : this.#counts();
        return { type: 'ended', status, degraded, output, error, ...(counts === undefined ? {} : { counts }) };
      }
      case BRANCH.waiting: {
        const at = this.#place();
        const on = this.#string() as Extract<StepEvent, { type: 'waiting' }>['on'];
        return { type: 'waiting', ...at, on, token: this.#string(), detail: this.#json() };
      }
      case BRANCH.waitEnded:
        return { type: 'wait-ended', ...this.#place(), token: this.#string(), by: this.#nullable() };
      case BRANCH.timerSet:
      case BRANCH.timerCleared: {
        const timer = this.#word(TIMERS);
        const type = branch === BRANCH.timerSet ? 'timer-set' : 'timer-cleared';
        return { type, timer, ...this.#place(), due: this.#long(), attempt: this.#long() };
      }
      case BRANCH.rejected:
        return { type: 'rejected', code: this.#string(), why: this.#string() };
      case BRANCH.other:
        return this.#parsed<StepEvent>(this.#string());
      default:
        throw broken('has an event that is not known');
    }
  }

  #counts(): EndCounts | undefined {
    const list = this.#ints();
    if (list.length !== LAST.length) return undefined;
    const [COMPLETED, FAILED, CANCELLED] = list as [number, number, number];
    return { COMPLETED, FAILED, CANCELLED };
  }

  #place(): At {
    return { node: this.#long(), iteration: this.#string() };
  }

  #word<W extends string>(words: readonly W[]): W {
    const word = words[this.#long()];
    if (word === undefined) throw broken('has a word that is not known');
    return word;
  }

  #ints(): readonly number[] {
    const values: number[] = [];
    for (let left = this.#long(); left > 0; left = this.#long()) {
      for (; left > 0; left--) values.push(this.#long());
    }
    return values;
  }

  #nullable(): string | null {
    return this.#long() === 0 ? null : this.#string();
  }

  /** What most nodes put out is a small number, which is read without a text of it. */
  #json(): Json {
    const before = this.#at;
    const length = this.#long();
    const end = this.#at + length;
    if (length > 0 && length <= MOST_DIGITS && end <= this.#end) {
      let value = 0;
      let at = this.#at;
      for (; at < end; at++) {
        const digit = this.#bytes[at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (at === end && (length === 1 || this.#bytes[this.#at] !== ZERO)) {
        this.#at = end;
        return value;
      }
    }
    this.#at = before;
    return this.#parsed<Json>(this.#string());
  }

  #parsed<T>(text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch {
      throw broken('holds what is no JSON');
    }
  }

  #string(): string {
    const length = this.#long();
    if (length === 0) return '';
    const start = this.#at;
    this.#at += length;
    if (length < 0 || this.#at > this.#end) throw broken('is cut short');
    return this.#bytes.toString('utf8', start, this.#at);
  }

  #long(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.#at >= this.#end) throw broken('is cut short');
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return unzigzag(value);
      scale *= 128;
      if (scale > 2 ** 56) throw broken('holds a number that is too long');
    }
  }
}

function broken(what: string): FlowError {
  return new FlowError('schema.mismatch', `a step record ${what}`);
}
