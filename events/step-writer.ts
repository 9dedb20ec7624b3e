import { type Bytes, ByteWriter, zigzag } from '../core/bytes.ts';
import type { Json } from '../core/ids.ts';
import type { Cause, StepEvent, StepRecord } from './events.ts';
import { BRANCH, CAUSES, LAST, STATUSES, STEP_VERSION, TIMERS } from './step-schema.ts';

const places = (words: readonly string[]): ReadonlyMap<string, number> => new Map(words.map((word, i) => [word, i]));
const STATUS = places(STATUSES);
const CAUSE = places(CAUSES);
const TIMER = places(TIMERS);
const HASH = /^[0-9a-f]{64}$/;

type Started = Extract<StepEvent, { type: 'started' }>;

/** Encodes step records one after the other into memory of its own. */
export class StepWriter {
  readonly #out = new ByteWriter(4096);
  readonly #text = new ByteWriter(256);
  #hash = '0'.repeat(64);
  #hashBytes: Bytes = Buffer.alloc(32);

  /** A copy that may be kept. */
  encode(record: StepRecord): Bytes {
    const out = this.#out;
    out.clear();
    out.byte(STEP_VERSION);
    this.#string(record.execution);
    this.#long(record.seq);
    this.#long(record.revision);
    this.#definition(record.definition);
    this.#long(record.at);
    this.#cause(record.cause);
    const { events } = record;
    if (events.length > 0) this.#long(events.length);
    for (const event of events) this.#event(event);
    out.byte(0);
    return out.take();
  }

  #definition(hash: string): void {
    const out = this.#out;
    if (hash === this.#hash || HASH.test(hash)) {
      if (hash !== this.#hash) {
        this.#hash = hash;
        this.#hashBytes = Buffer.from(hash, 'hex');
      }
      out.byte(0);
      out.copy(this.#hashBytes, 0, 32);
    } else {
      out.byte(2);
      this.#string(hash);
    }
  }

  #cause(cause: Cause): void {
    const out = this.#out;
    if (cause.kind === 'command') {
      out.byte(0);
      this.#string(cause.type);
      this.#string(cause.id);
      this.#nullable(cause.by);
    } else if (cause.kind === 'timer') {
      out.byte(2);
      this.#place(TIMER.get(cause.timer)!);
      this.#long(cause.due);
    } else out.byte(4);
  }

  #event(event: StepEvent): void {
    switch (event.type) {
      case 'node': {
        const cause = CAUSE.get(event.cause);
        if (cause === undefined) {
          this.#other(event);
          break;
        }
        this.#at(BRANCH.node, event);
        this.#long(event.attempt);
        this.#place(event.from === null ? 0 : STATUS.get(event.from)! + 1);
        this.#place(STATUS.get(event.to)!);
        this.#place(cause);
        break;
      }
      case 'output':
        this.#at(BRANCH.output, event);
        this.#string(event.port);
        this.#json(event.value);
        this.#long(event.bytes);
        break;
      case 'delivered':
        this.#at(BRANCH.delivered, event);
        this.#ints(event.taken);
        this.#ints(event.skipped);
        break;
      case 'started': {
        this.#place(BRANCH.started);
        this.#string(event.workflow);
        this.#string(event.version);
        this.#json(event.input);
        this.#string(moreText(event));
        break;
      }
      case 'ended': {
        const { counts } = event;
        this.#place(BRANCH.ended);
        this.#place(LAST.indexOf(event.status));
        this.#out.byte(event.degraded ? 1 : 0);
        this.#json(event.output);
        this.#string(event.error === null ? '' : JSON.stringify(event.error));
        this.#ints(counts === undefined ? [] : LAST.map((status) => counts[status]));
        break;
      }
      case 'waiting':
        this.#at(BRANCH.waiting, event);
        this.#string(event.on);
        this.#string(event.token);
        this.#json(event.detail);
        break;
      case 'wait-ended':
        this.#at(BRANCH.waitEnded, event);
        this.#string(event.token);
        this.#nullable(event.by);
        break;
      case 'timer-set':
      case 'timer-cleared':
        this.#place(event.type === 'timer-set' ? BRANCH.timerSet : BRANCH.timerCleared);
        this.#place(TIMER.get(event.timer)!);
        this.#long(event.node);
        this.#string(event.iteration);
        this.#long(event.due);
        this.#long(event.attempt);
        break;
      case 'rejected':
        this.#place(BRANCH.rejected);
        this.#string(event.code);
        this.#string(event.why);
        break;
      default:
        this.#other(event);
        break;
    }
  }

  #other(event: StepEvent): void {
    this.#place(BRANCH.other);
    this.#string(JSON.stringify(event));
  }

  #at(branch: number, { node, iteration }: { readonly node: number; readonly iteration: string }): void {
    this.#place(branch);
    this.#long(node);
    this.#string(iteration);
  }

  #place(place: number): void {
    this.#out.byte(place * 2);
  }

  #long(value: number): void {
    if (value >= 0 && value < 64) this.#out.byte(value * 2);
    else this.#out.varint(zigzag(value));
  }

  #ints(values: readonly number[]): void {
    if (values.length > 0) {
      this.#long(values.length);
      for (const value of values) this.#long(value);
    }
    this.#out.byte(0);
  }

  #nullable(text: string | null): void {
    this.#out.byte(text === null ? 0 : 2);
    if (text !== null) this.#string(text);
  }

  #json(value: Json): void {
    this.#string(Number.isFinite(value) ? String(value) : JSON.stringify(value));
  }

  #string(value: string): void {
    const out = this.#out;
    if (value.length === 0) {
      out.byte(0);
      return;
    }
    if (value.length < 32) {
      // short texts are nearly always ASCII, whose length is known
      out.reserve(value.length + 1);
      const { bytes } = out;
      let at = out.at + 1;
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) {
          this.#longText(value);
          return;
        }
        bytes[at++] = code;
      }
      bytes[out.at] = value.length * 2;
      out.at = at;
      return;
    }
    this.#longText(value);
  }

  #longText(value: string): void {
    const text = this.#text;
    text.clear();
    text.text(value);
    this.#long(text.at);
    this.#out.copy(text.bytes, 0, text.at);
  }
}

/** A start as most are: nothing but these three is told of it. */
export function usualStart(workflow: string, version: string, input: Json): Started {
  return {
    type: 'started',
    workflow,
    version,
    input,
    mode: 'realtime',
    user: null,
    priority: 5,
    deadline: null,
    labels: {},
    idempotencyKey: null,
    parent: null,
    selected: null,
    pins: null,
    forkOf: null,
  };
}

const USUAL = usualStart('', '', null);
/** These have a field of their own. */
const TOLD: ReadonlySet<string> = new Set(['type', 'workflow', 'version', 'input']);

/** What differs from what is usual; empty where nothing does. */
function moreText(start: Started): string {
  let told: Record<string, unknown> | undefined;
  for (const name in start) {
    if (TOLD.has(name)) continue;
    const value = start[name as keyof Started];
    const usual = USUAL[name as keyof Started];
    if (value === usual || (name === 'labels' && Object.keys(value as object).length === 0)) continue;
    told ??= {};
    told[name] = value;
  }
  return told === undefined ? '' : JSON.stringify(told);
}
