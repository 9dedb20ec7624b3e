import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { Plan } from './plan.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  describe,
  hopping,
  type Merging,
  planHash,
  type Stream,
  session,
  sliding,
  type Topology,
  topic,
  topology,
  tumbling,
  unlimited,
  type Windows,
} from './topology.ts';
import type { DeclaredWindows } from './window-handles.ts';

const input = topic('in', { key: string(), value: int64(), partitions: 2 });
const stream = (t: Topology) => t.stream(input) as Stream<string, number, 2>;
type AnyWindows = Windows<unknown, unknown, Merging>;
/** Of which the compiler does not see that it is nothing. */
const zero: number = 0;
const untyped = (windows: DeclaredWindows) => windows as unknown as AnyWindows;

function planOf(windows: AnyWindows, close = false): Plan {
  const t = topology('app');
  const group = stream(t).groupByKey().window(windows);
  (close ? group.emitOnClose() : group).count({ store: 's' });
  return t.build().plan;
}

function refused(define: () => unknown, words: RegExp): void {
  assert.throws(define, (thrown: unknown) => {
    assert.ok(isFlowError(thrown, 'plan.invalid'), String(thrown));
    assert.match(thrown.message, words);
    return true;
  });
}

const CASES: { readonly [name: string]: readonly [() => unknown, RegExp] } = {
  'a tumbling window of size zero': [() => planOf(tumbling(zero)), /window is 0 ms long; say a whole number above 0/],
  'a negative grace': [
    () => tumbling(10, { grace: -1 }),
    /the grace of a tumbling window must be 0 ms or more, not -1/,
  ],
  'a negative grace past the handles': [
    () => planOf(untyped({ type: 'tumbling', sizeMs: 10, graceMs: -1 })),
    /aggregate:s: the grace is -1 ms; say a whole number of at least 0/,
  ],
  'an advance beyond the size': [
    () => planOf(hopping(10, { advance: 11 })),
    /the advance of 11 ms leaves gaps between windows of 10 ms; make it at most the size/,
  ],
  'an advance of zero': [
    () => planOf(hopping(10, { advance: zero })),
    /the advance is 0 ms; say a whole number above 0/,
  ],
  'a sliding difference of zero': [() => planOf(sliding({ difference: zero })), /the difference is 0 ms/],
  'a negative sliding difference': [() => sliding({ difference: -1 }), /the difference of a sliding window must be/],
  'a negative gap': [() => session({ gap: -1 }), /the gap of a session must be/],
  'a negative gap past the handles': [
    () => planOf(untyped({ type: 'session', gapMs: -1, graceMs: 0 })),
    /the gap is -1 ms; say a whole number of at least 0/,
  ],
  'a window of no records': [() => planOf(counts({ size: 0 })), /the window holds 0 records/],
  'records between count windows': [() => planOf(counts({ size: 2, every: 3 })), /leaves gaps between windows of 2/],
  'a longest window that is no multiple': [
    () => planOf(cumulative({ step: 4, max: 10 })),
    /the longest window of 10 ms is no multiple of the step of 4 ms; make it one/,
  ],
  'a step of zero': [() => planOf(cumulative({ step: zero, max: 10 })), /the step is 0 ms/],
  'an unknown time zone': [
    () => planOf(calendar({ unit: 'day', timeZone: 'Europe/Atlantis' })),
    /there is no time zone "Europe\/Atlantis"; say a name of the IANA database/,
  ],
  'an unknown unit': [
    () => planOf(untyped({ type: 'calendar', unit: 'hour' as 'day', timeZone: 'UTC', graceMs: 0 })),
    /there are no windows of a hour; say day, week or month/,
  ],
  'finals of an unlimited window': [
    () => planOf(unlimited(), true),
    /an unlimited window never closes; take updates, or suppress\(\) them until the input ends/,
  ],
  'an aggregate of sessions without a merge': [
    () => {
      const t = topology('app');
      const options = { store: 's', value: int64(), initial: () => 0, add: (a: number) => a };
      const group = stream(t)
        .groupByKey()
        .window(session({ gap: 1 })) as unknown as {
        aggregate(options: object): void;
      };
      group.aggregate(options);
      t.build();
    },
    /windows that merge need to know how their aggregates do; give aggregate\(...\) a merge/,
  ],
  'a merge where nothing merges': [
    () => {
      const t = topology('app');
      const options = { store: 's', value: int64(), initial: () => 0, add: (a: number) => a, merge: (a: number) => a };
      stream(t)
        .groupByKey()
        .window(custom<number, string>({ name: 'apart', assign: (time) => ({ start: time, end: time + 1 }) }))
        .aggregate(options);
      t.build();
    },
    /nothing merges here; leave merge out/,
  ],
  'a retention below what late records need': [
    () => {
      const t = topology('app');
      stream(t)
        .groupByKey()
        .window(sliding({ difference: 10, grace: 5 }))
        .count({ store: 's', retention: 24 });
      t.build();
    },
    /keeps windows for 24 ms, less than twice the difference plus grace; set retention to at least 25 ms/,
  ],
  'a retention of windows that go when they close': [
    () => {
      const t = topology('app');
      stream(t)
        .groupByKey()
        .window(counts({ size: 2 }))
        .count({ store: 's', retention: 24 });
      t.build();
    },
    /rows of these windows go when they close; leave retention out/,
  ],
};

for (const [name, [define, words]] of Object.entries(CASES)) {
  test(`refused with its cure: ${name}`, () => refused(define, words));
}

test('all kinds of windows make plans that are JSON, and say themselves in words', () => {
  const own = custom<unknown, unknown>({ name: 'own', assign: (time) => ({ start: time, end: time + 1 }) });
  const kinds: readonly (readonly [AnyWindows, string])[] = [
    [sliding({ difference: 10, grace: 5 }), 'sliding 10 ms, grace 5 ms'],
    [session({ gap: { minutes: 5 } }), 'session 5 min'],
    [session<unknown, unknown>({ gap: () => 5 }), 'session with a gap by record'],
    [unlimited(), 'unlimited'],
    [counts({ size: 10, every: 5 }), '10 records every 5'],
    [cumulative({ step: { hours: 1 }, max: { days: 1 } }), 'cumulative 1 h up to 1 d'],
    [calendar({ unit: 'week', timeZone: 'Europe/Berlin', grace: 1000 }), 'week in Europe/Berlin, grace 1 s'],
    [own, 'windows own'],
  ];
  for (const [windows, words] of kinds) {
    const plan = planOf(windows);
    assert.ok(describe(plan).includes(`count, ${words}, store s`), describe(plan));
    const again = JSON.parse(JSON.stringify(plan)) as Plan;
    assert.deepEqual(again, plan);
    assert.equal(planHash(planOf(windows)), planHash(again));
  }
});

test('final results are not held back twice', () => {
  const t = topology('app');
  const finals = stream(t).groupByKey().window(tumbling(10)).emitOnClose().count({ store: 's' });
  finals.suppress({ untilWindowCloses: true });
  assert.throws(() => t.build(), /aggregate:s emits final results only; leave it out/);
});
