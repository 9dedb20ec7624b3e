import { isDeepStrictEqual } from 'node:util';
import { type RestoreOptions, restoreState } from '../../checkpoints/checkpoints.ts';
import { VirtualClock } from '../../core/clock.ts';
import type { Position, TaskId } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import type { Fetched, Log } from '../../log/log.ts';
import { TopologyDriver } from '../../runtime/testing.ts';
import { string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { topic, topology } from '../../topology/topology.ts';
import type { Verdict } from './judge.ts';
import type { Derived } from './vector.ts';

interface Input {
  readonly endOffset?: number;
  /** The offset of the last record that the store holds, which lies before the position that it has. */
  readonly checkpoint?: number | null;
  readonly committedOffset?: number | null;
  readonly records?: readonly number[];
  readonly persistent?: boolean;
}

interface Expected {
  readonly from?: number;
  readonly toExclusive?: number;
  readonly doneWhenPosition?: number;
  readonly wipe?: boolean;
}

/** From where and how far a store is restored. */
export async function judgeRestore(vector: Derived): Promise<Verdict> {
  const input = vector.input as Input;
  const expect = vector.expect as Expected;
  const found: Expected = input.committedOffset === undefined ? await restored(input) : await known(input);
  const compared = Object.fromEntries(Object.keys(expect).map((name) => [name, found[name as keyof Expected]]));
  if (isDeepStrictEqual(compared, expect)) return { kind: 'passed', differences: [] };
  // A store whose rows and position are written at once is never found without the one or the other.
  if (isDeepStrictEqual({ ...compared, wipe: true }, expect)) return { kind: 'intended', differences: ['kept-stores'] };
  return {
    kind: 'failed',
    differences: [],
    fault: `expected ${JSON.stringify(expect)}, found ${JSON.stringify(found)}`,
  };
}

const TABLE = 'rows';
const DEFAULT_END = 100;

/** A restore, over a changelog whose records are of no matter. */
async function restored(input: Input): Promise<Expected> {
  const { endOffset = DEFAULT_END, records = [], persistent = true } = input;
  const fetches = records.length === 0 ? [endOffset] : [...records.map((offset) => offset + 1), endOffset];
  const changelog = new Changelog(endOffset, fetches);
  const store = await createStateBackend({}).open({
    task: 'restored_0' as TaskId,
    directory: undefined,
    step: new Step(),
    clock: new VirtualClock(0),
    budget: { maxBytes: Number.MAX_SAFE_INTEGER, usedBytes: 0 },
    tables: [{ name: TABLE, windowed: false, ordered: false }],
    onQuarantine: () => undefined,
  });
  const kept = persistent && typeof input.checkpoint === 'number' ? input.checkpoint + 1 : undefined;
  const state: RestoreOptions['state'] = persistent ? Object.assign(store, { position: () => kept }) : store;
  let wipe = false;
  let done = -1;
  await restoreState({
    log: changelog.log,
    state,
    partition: 0,
    tables: [{ table: TABLE, changelog: TABLE, whole: false }],
    now: 0,
    onProgress: (_table, position) => {
      done = position;
    },
    onReset: () => {
      wipe = true;
    },
  });
  return { from: changelog.from, toExclusive: done, doneWhenPosition: done, wipe };
}

/** A log with one partition, which notes from where it is read. */
class Changelog {
  from: Position = -1;
  readonly log: Log;
  readonly #fetches: Position[];

  constructor(end: Position, fetches: readonly Position[]) {
    this.#fetches = [...fetches];
    this.log = {
      admin: { bounds: async () => ({ start: 0, stable: end, end }) },
      reader: () => ({
        assign: ([partition]: readonly { readonly position: Position }[]) => {
          this.from = partition!.position;
        },
        unassign: () => undefined,
        fetch: async () => [this.#next()],
        close: async () => undefined,
      }),
    } as unknown as Log;
  }

  #next(): Fetched {
    const next = this.#fetches.shift()!;
    return {
      ...{ topic: TABLE, partition: 0, bytes: Buffer.alloc(0), starts: [], ends: [] },
      ...{ position: this.from, next, end: next, release: () => undefined },
    };
  }
}

/**
 * How much of its topic a table knows after a crash, when nothing behind the committed position was processed again.
 * A record of a stream that is of that very time tells by its join.
 */
async function known({ endOffset = DEFAULT_END, committedOffset = null }: Input): Promise<Expected> {
  const texts = { key: string(), value: string(), partitions: 1 } as const;
  const rows = topic('rows', texts);
  const asked = topic('asked', texts);
  const out = topic('out', texts);
  const app = topology('known');
  const merge = (_value: string, row: string | null) => row ?? 'none';
  app
    .stream(asked)
    .leftJoinTable(app.table(rows, { store: TABLE }), { merge })
    .to(out);
  const driver = await TopologyDriver.open(app, { commit: 'on demand' });
  const send = (from: number, to: number) => {
    for (let n = from; n < to; n++) driver.input(rows).send('k', String(n + 1), { timestamp: 2 * n + 1 });
  };
  const committed = committedOffset ?? 0;
  send(0, committed);
  if (committedOffset !== null) driver.commit();
  send(committed, endOffset);
  driver.input(asked).send('k', 'x', { timestamp: 2 * committed });
  await driver.crash();
  driver.commit();
  const [answer] = driver.output(out).read();
  return { toExclusive: answer?.value === 'none' ? 0 : Number(answer?.value) };
}
