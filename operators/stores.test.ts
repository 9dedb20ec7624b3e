import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { int64, string } from '../schemas/schemas.ts';
import {
  type AnyStore,
  keyValueStore,
  sessionStore,
  topic,
  topology,
  versionedStore,
  windowStore,
} from '../topology/topology.ts';
import type { ProcessContext } from './process.ts';
import { testProgram } from './testing/everything.ts';
import { TestTask } from './testing/test-task.ts';

const FORMATS = { key: string(), value: string() } as const;
const HISTORY = 12;
const RETENTION = 15;
const KEYS = ['a', 'ab', 'b'] as const;
const RUNS = { numRuns: 200, seed: 889 };

interface Work<Op> {
  readonly answers: readonly unknown[];
  readonly late: number;
  readonly misses: number;
  readonly op: readonly Op[];
}

/** Does one thing with a store for each record, and answers what came of each; reads miss at random with a seed. */
function work<Op>(
  store: unknown,
  ops: readonly Op[],
  act: (context: ProcessContext<string, number>, op: Op) => unknown,
  seed?: number,
): Work<Op> {
  const source = topic('in', { key: string(), value: int64(), partitions: 1 });
  const app = topology('stores');
  const answers: unknown[] = [];
  app.stream(source).processValues<number>({
    name: 'work',
    stores: [store as AnyStore],
    supplier: () => ({
      process(index: number, _key: string, context: ProcessContext<string, number>) {
        answers[index] = act(context, ops[index]!);
      },
    }),
  });
  const random = seededRandom(seed ?? 0);
  const task = new TestTask(testProgram(app.build()), {
    interrupt(step) {
      if (seed !== undefined && randomInt(random, 6) === 0) step.miss();
    },
  });
  task.feed(...ops.map((_, index) => ({ topic: 'in', key: 'k', value: index, timestamp: 0 })));
  const late = task.dropped.items.filter(({ reason }) => reason === 'late').length;
  return { answers, late, misses: task.misses, op: ops };
}

interface VersionOp {
  readonly kind: 'put' | 'delete' | 'get' | 'asOf';
  readonly key: string;
  readonly value: string | null;
  readonly at: number;
}

/** Times go forward slowly, with jumps now and then, and some come out of order. */
const versionOps = fc
  .array(
    fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'delete', 'get', 'asOf', 'asOf'),
      key: fc.constantFrom(...KEYS),
      value: fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 4 }),
      step: fc.constantFrom(0, 0, 1, 1, 2, 3, 9),
      back: fc.constantFrom(0, 0, 0, 1, 3, 6, 9, 12, 13, 20),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((rows) => {
    let clock = 20;
    return rows.map(({ kind, key, value, step, back }): VersionOp => {
      clock += step;
      return { kind: kind as VersionOp['kind'], key, value, at: Math.max(0, clock - back) };
    });
  });

const versions = versionedStore('versions', { ...FORMATS, history: HISTORY });

function workVersions(ops: readonly VersionOp[], seed?: number): Work<VersionOp> {
  return work(
    versions,
    ops,
    (context, { kind, key, value, at }) => {
      const store = context.versionedStore<string, string>('versions');
      if (kind === 'put') return store.put(key, value, at);
      if (kind === 'delete') return store.delete(key, at);
      return kind === 'get' ? store.get(key) : store.getAsOf(key, at);
    },
    seed,
  );
}

/** A list of all versions that were ever put, each with its time. */
class ListOfVersions {
  readonly #rows: { readonly key: string; readonly value: string | null; readonly at: number }[] = [];
  #clock = -1;
  late = 0;

  do({ kind, key, value, at }: VersionOp): unknown {
    if (kind === 'put') return this.#put(key, value, at);
    if (kind === 'get') return this.#asOf(key, Number.POSITIVE_INFINITY);
    if (kind === 'asOf') return this.#readable(key, at);
    const before = at < this.#clock - HISTORY ? undefined : this.#readable(key, at);
    this.#put(key, null, at);
    return before;
  }

  #put(key: string, value: string | null, at: number): unknown {
    if (at < this.#clock - HISTORY) {
      this.late++;
      return 'rejected';
    }
    this.#clock = Math.max(this.#clock, at);
    const same = this.#rows.findIndex((row) => row.key === key && row.at === at);
    if (same >= 0) this.#rows.splice(same, 1);
    this.#rows.push({ key, value, at });
    return this.#next(key, at) ?? 'latest';
  }

  #next(key: string, at: number): number | undefined {
    const later = this.#rows.filter((row) => row.key === key && row.at > at).map((row) => row.at);
    return later.length === 0 ? undefined : Math.min(...later);
  }

  /** Of times before the history only what is the newest still. */
  #readable(key: string, at: number): unknown {
    const found = this.#asOf(key, at) as { validTo: number | null } | undefined;
    return at < this.#clock - HISTORY && found?.validTo !== null ? undefined : found;
  }

  #asOf(key: string, at: number): unknown {
    const [found] = this.#rows.filter((row) => row.key === key && row.at <= at).sort((a, b) => b.at - a.at);
    if (found === undefined || found.value === null) return undefined;
    return { value: found.value, validFrom: found.at, validTo: this.#next(key, found.at) ?? null };
  }
}

/** Kafka's store loses a deletion at the very time of the newest version, so the list says the same without such. */
function withoutSameTimes(ops: readonly VersionOp[]): readonly VersionOp[] {
  const seen = new Set<string>();
  return ops.filter(({ kind, key, at }) => {
    if (kind !== 'put' && kind !== 'delete') return true;
    const id = `${key} ${at}`;
    return seen.has(id) ? false : seen.add(id);
  });
}

test('a versioned store answers as a list of all versions does', () => {
  let [late, between] = [0, 0];
  fc.assert(
    fc.property(versionOps, (all) => {
      const ops = withoutSameTimes(all);
      const list = new ListOfVersions();
      const expected = ops.map((op) => list.do(op));
      const done = workVersions(ops);
      assert.deepEqual(done.answers, expected);
      assert.equal(done.late, list.late);
      late += done.late;
      between += done.answers.filter((answer) => typeof answer === 'number').length;
    }),
    RUNS,
  );
  assert.ok(late > 100 && between > 200, `${late} late, ${between} out of order`);
});

test('a value at the time of another takes its place, wherever that lies', () => {
  fc.assert(
    fc.property(versionOps, (all) => {
      const ops = all.map(
        (op): VersionOp => (op.kind === 'delete' || op.value === null ? { ...op, kind: 'asOf' } : op),
      );
      const list = new ListOfVersions();
      assert.deepEqual(
        workVersions(ops).answers,
        ops.map((op) => list.do(op)),
      );
    }),
    RUNS,
  );
});

test('a deletion at the time of the only version leaves nothing, as in Kafka Streams', () => {
  const put = (value: string | null, at: number): VersionOp => ({ kind: 'put', key: 'a', value, at });
  const { answers } = workVersions([
    put('x', 20),
    put(null, 20),
    put('y', 15),
    { kind: 'asOf', key: 'a', value: null, at: 25 },
  ]);
  assert.deepEqual(answers, ['latest', 'latest', 'latest', { value: 'y', validFrom: 15, validTo: null }]);
});

test('stores answer alike where reads miss at random', () => {
  let misses = 0;
  fc.assert(
    fc.property(versionOps, fc.nat(), (ops, seed) => {
      const missing = workVersions(ops, seed);
      misses += missing.misses;
      assert.deepEqual(missing.answers, workVersions(ops).answers);
      assert.equal(missing.late, workVersions(ops).late);
    }),
    RUNS,
  );
  assert.ok(misses > 500, `${misses} misses`);
});

interface SpanOp {
  readonly kind: 'put' | 'delete' | 'get' | 'find';
  readonly key: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const spanOps = fc
  .array(
    fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'delete', 'get', 'find', 'find'),
      key: fc.constantFrom(...KEYS),
      value: fc.constantFrom('x', 'y', 'z'),
      step: fc.constantFrom(0, 1, 2, 9),
      back: fc.constantFrom(0, 0, 2, 5, 9, 15, 16, 25),
      length: fc.constantFrom(0, 1, 4),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((rows) => {
    let clock = 30;
    return rows.map(({ kind, key, value, step, back, length }): SpanOp => {
      clock += step;
      const end = clock - back;
      return { kind: kind as SpanOp['kind'], key, value, start: end - length, end };
    });
  });

test('a session store answers as a list of sessions does, and forgets by their ends', () => {
  let late = 0;
  fc.assert(
    fc.property(spanOps, (ops) => {
      const rows: Omit<SpanOp, 'kind'>[] = [];
      let clock = -1;
      let rejected = 0;
      const isGone = (end: number) => end + RETENTION <= clock;
      const expected = ops.map(({ kind, key, value, start, end }): unknown => {
        const at = rows.findIndex((row) => row.key === key && row.start === start && row.end === end);
        if (kind === 'get') return at < 0 || isGone(end) ? undefined : rows[at]!.value;
        if (kind === 'find') {
          return rows
            .filter((row) => row.key === key && !isGone(row.end) && row.end >= start && row.start <= end)
            .sort((a, b) => a.end - b.end || a.start - b.start)
            .map((row) => ({ start: row.start, end: row.end, value: row.value }));
        }
        clock = Math.max(clock, end);
        if (isGone(end)) {
          rejected++;
          return undefined;
        }
        if (at >= 0) rows.splice(at, 1);
        if (kind === 'put') rows.push({ key, value, start, end });
        return undefined;
      });
      const done = work(
        sessionStore('sessions', { ...FORMATS, retention: RETENTION }),
        ops,
        (context, { kind, key, value, start, end }) => {
          const store = context.sessionStore<string, string>('sessions');
          if (kind === 'put') return store.put(key, start, end, value);
          if (kind === 'delete') return store.delete(key, start, end);
          return kind === 'get' ? store.get(key, start, end) : [...store.find(key, start, end)];
        },
      );
      assert.deepEqual(done.answers, expected);
      assert.equal(done.late, rejected);
      late += rejected;
    }),
    RUNS,
  );
  assert.ok(late > 200, `${late} late`);
});

test('a window store answers as a list of rows does, and forgets by its own time', () => {
  fc.assert(
    fc.property(spanOps, (ops) => {
      const rows = new Map<string, string>();
      let clock = -1;
      let rejected = 0;
      const isGone = (start: number) => start + RETENTION <= clock;
      const expected = ops.map(({ kind, key, value, start, end }): unknown => {
        if (kind === 'get') return isGone(start) ? undefined : rows.get(`${key} ${start}`);
        if (kind === 'find') {
          const found: unknown[] = [];
          for (let at = start; at <= end; at++) {
            const row = isGone(at) ? undefined : rows.get(`${key} ${at}`);
            if (row !== undefined) found.push([at, row]);
          }
          return found;
        }
        clock = Math.max(clock, start);
        if (isGone(start)) rejected++;
        else if (kind === 'put') rows.set(`${key} ${start}`, value);
        else rows.delete(`${key} ${start}`);
        return undefined;
      });
      const done = work(
        windowStore('windows', { ...FORMATS, retention: RETENTION }),
        ops,
        (context, { kind, key, value, start, end }) => {
          const store = context.windowStore<string, string>('windows');
          if (kind === 'put') return store.put(key, start, value);
          if (kind === 'delete') return store.delete(key, start);
          return kind === 'get' ? store.get(key, start) : [...store.fetch(key, start, end)];
        },
      );
      assert.deepEqual(done.answers, expected);
      assert.equal(done.late, rejected);
    }),
    RUNS,
  );
});

test('a key-value store answers what was there, and ranges hold both their ends', () => {
  const ops = [
    (store: Store) => store.putIfAbsent('b', '1'),
    (store: Store) => store.putIfAbsent('b', '2'),
    (store: Store) => store.put('a', '3'),
    (store: Store) => store.put('ba', '4'),
    (store: Store) => [...store.range('a', 'b')],
    (store: Store) => [...store.range('b', 'a')],
    (store: Store) => store.delete('b'),
    (store: Store) => store.delete('b'),
    (store: Store) => [...store.all()],
  ];
  type Store = ReturnType<ProcessContext<string, number>['store']>;
  const { answers } = work(keyValueStore('rows', FORMATS), ops, (context, op) => op(context.store('rows')));
  assert.deepEqual(answers, [
    undefined,
    '1',
    undefined,
    undefined,
    [
      ['a', '3'],
      ['b', '1'],
    ],
    [],
    '1',
    undefined,
    [
      ['a', '3'],
      ['ba', '4'],
    ],
  ]);
});

test('a store is opened as what it is, and versions have whole times', () => {
  const open = (act: (context: ProcessContext<string, number>) => unknown) => work(versions, [0], act);
  assert.throws(() => open((context) => context.store('versions')), {
    code: 'plan.invalid',
    message: /process:work opens store versions as key-value: it is a versioned store/,
  });
  assert.throws(() => open((context) => context.versionedStore<string, string>('versions').put('a', 'x', 1.5)), {
    code: 'record.failed',
    message: /store versions is given a version with time 1\.5/,
  });
});
