import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { type ErrorCode, isFlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder, BatchView } from '../batch.ts';
import type { Assignment, GroupMember, Log, LogReader, MemberOptions, ReaderOptions } from '../log.ts';

/** What a driver's test opens for each case: an empty log of its own. */
export interface OpenLog {
  readonly log: Log;
  readonly clock: Clock;
  /** Moves a virtual clock; left out where time is real. */
  advance?(ms: Millis): void;
  /** Runs compaction of a topic to its end now; left out where it cannot be asked for, and the cases that do with it. */
  compact?(topic: string): Promise<void>;
  /** Runs retention of a topic now; likewise. */
  expire?(topic: string): Promise<void>;
  close(): Promise<void>;
}

export interface LogCase {
  readonly name: string;
  run(bench: Bench): Promise<void>;
}

/** A busy machine lets brokers take long: so often is something looked at that must come, and so often a fetch empty. */
const MOST_TRIES = 5000;
const MOST_IDLE_FETCHES = 600;

interface Row {
  readonly position: Position;
  readonly key: string | null;
  readonly value: string | null;
}

/** What the cases share: short ways to write and to read text. */
export class Bench {
  readonly log: Log;
  readonly open: OpenLog;

  constructor(open: OpenLog) {
    this.open = open;
    this.log = open.log;
    // Cases take what they need apart: `run({ log, read })`.
    this.pass = this.pass.bind(this);
    this.until = this.until.bind(this);
    this.read = this.read.bind(this);
    this.values = this.values.bind(this);
    this.shows = this.shows.bind(this);
    this.join = this.join.bind(this);
  }

  /** Lets time pass, virtual or real. */
  async pass(ms: Millis): Promise<void> {
    if (this.open.advance === undefined) await this.open.clock.sleep(ms);
    else {
      // In small steps, so that what a timer sets off can answer before the next is due.
      for (let left = ms; left > 0; left -= 50) {
        this.open.advance(Math.min(50, left));
        await this.open.clock.turn();
      }
    }
  }

  /** Waits for something that takes a few turns, or real time. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (await holds()) return;
      if (tries < 50) await this.open.clock.turn();
      else await this.pass(10);
    }
    assert.fail(`${what} did not come about`);
  }

  async read(
    topic: string,
    isolation: ReaderOptions['isolation'] = 'committed',
    from?: Position,
    partition = 0,
  ): Promise<Row[]> {
    const bounds = await this.log.admin.bounds(topic, partition);
    const reader = this.log.reader({ isolation });
    const position = from ?? bounds.start;
    reader.assign([{ topic, partition, position }]);
    const end = isolation === 'committed' ? bounds.stable : bounds.end;
    const rows = await readTo(reader, position, end);
    await reader.close();
    return rows;
  }

  async values(topic: string, isolation?: ReaderOptions['isolation'], partition = 0): Promise<(string | null)[]> {
    return (await this.read(topic, isolation, undefined, partition)).map(({ value }) => value);
  }

  /** Waits until a reader sees just these values: a commit shows in each partition a moment after its answer. */
  async shows(
    topic: string,
    expected: readonly (string | null)[],
    isolation?: ReaderOptions['isolation'],
    partition = 0,
  ): Promise<void> {
    let seen: readonly (string | null)[] = [];
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      seen = await this.values(topic, isolation, partition);
      if (isDeepStrictEqual(seen, expected)) return;
      await this.pass(10);
    }
    assert.deepEqual(seen, expected);
  }

  /** Joins a group where each member is given the tasks named in `assign`, and tells what happened to it. */
  async join(options: Partial<MemberOptions> & { readonly group: string }): Promise<TestMember> {
    const assignments: Assignment[] = [];
    const revoked: string[][] = [];
    const lost: string[] = [];
    const replaced: string[] = [];
    const member = await this.log.join({
      name: 'member',
      metadata: '',
      assign: (members) => new Map(members.map(({ member }) => [member, { tasks: ['task'], metadata: '' }])),
      onAssign: (assignment) => void assignments.push(assignment),
      onRevoke: async (tasks) => void revoked.push([...tasks]),
      onLost: (reason, isReplaced) => void (isReplaced ? replaced : lost).push(reason),
      ...options,
    });
    return { member, assignments, revoked, lost, replaced };
  }
}

export interface TestMember {
  readonly member: GroupMember;
  readonly assignments: Assignment[];
  readonly revoked: string[][];
  readonly lost: string[];
  readonly replaced: string[];
}

/** Reads until the reader stands at `end`; decodes every record at or behind `from`. */
export async function readTo(reader: LogReader, from: Position, end: Position): Promise<Row[]> {
  const rows: Row[] = [];
  const view = new BatchView();
  let next = from;
  for (let idle = 0; next < end && idle < MOST_IDLE_FETCHES; idle++) {
    for (const fetched of await reader.fetch(100)) {
      assert.equal(fetched.position, next, 'a fetch goes on where the last one ended');
      assert.ok(fetched.next > next, 'a fetch goes on');
      for (let i = 0; i < fetched.starts.length; i++) {
        view.open(fetched.bytes, fetched.starts[i]!, fetched.ends[i]!, fetched);
        for (let r = 0; r < view.count; r++) {
          if (view.positions[r]! < from) continue;
          rows.push({
            position: view.positions[r]!,
            key: text(view.bytes, view.keyStarts[r]!, view.keyEnds[r]!),
            value: text(view.bytes, view.valueStarts[r]!, view.valueEnds[r]!),
          });
        }
      }
      next = fetched.next;
      fetched.release();
      fetched.release();
      idle = 0;
    }
  }
  assert.ok(next >= end, `reading stopped at ${next} before ${end}`);
  return rows;
}

function text(bytes: Bytes, start: number, end: number): string | null {
  return start < 0 ? null : bytes.toString('utf8', start, end);
}

/** A batch of `key=value` records; `key=` is a tombstone, `=value` has a null key, `value` too. */
export function batch(...records: string[]): Bytes {
  return batchAt(1_700_000_000_000, ...records);
}

export function batchAt(timestamp: Millis, ...records: string[]): Bytes {
  const step = new Step();
  step.begin();
  const builder = new BatchBuilder(step);
  for (const record of records) {
    const at = record.indexOf('=');
    const key = at > 0 ? Buffer.from(record.slice(0, at)) : null;
    const value = at >= 0 && at === record.length - 1 ? null : Buffer.from(record.slice(at + 1));
    builder.append(
      timestamp,
      key ?? Buffer.of(),
      key === null ? -1 : 0,
      key?.length ?? -1,
      value ?? Buffer.of(),
      value === null ? -1 : 0,
      value?.length ?? -1,
    );
  }
  step.settle();
  return builder.finish();
}

/** Fails unless the promise rejects with that code; answers the message. */
export async function refuses(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(isFlowError(thrown, code), `expected ${code}, got ${String(thrown)}`);
    return thrown.message;
  }
  return assert.fail(`expected ${code}, but it was done`);
}
