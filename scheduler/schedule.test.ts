import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backfill, dueAfter, MOST_AT_ONCE, missed, overlapping, type Schedule, scheduleFaults } from './scheduler.ts';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);
const text = (ms: number) => new Date(ms).toISOString();

function times(schedule: Schedule, after: string, count: number): readonly string[] {
  const found: string[] = [];
  for (let last = at(after); found.length < count; ) {
    const due = dueAfter(schedule, last);
    if (due === undefined) break;
    last = due.at;
    found.push(text(last));
  }
  return found;
}

test('a local time that summer time leaves out fires behind the gap, one that comes twice fires once', () => {
  const nightly = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
  assert.deepEqual(times(nightly, '2026-03-27T12:00:00Z', 3), [
    '2026-03-28T01:30:00.000Z',
    '2026-03-29T01:00:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ]);
  assert.deepEqual(times(nightly, '2026-10-24T12:00:00Z', 2), ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
});

test('a schedule by the minute goes on through the hour that comes twice', () => {
  const halfHours = { cron: '*/30 * * * *', timeZone: 'Europe/Berlin' };
  const found = times(halfHours, '2026-10-24T23:59:00Z', 6).map(at);
  for (let i = 1; i < found.length; i++) assert.equal(found[i]! - found[i - 1]!, HOUR / 2);
});

test('each time stands for the interval since the one before', () => {
  const daily = { cron: '@daily' };
  const due = dueAfter(daily, at('2026-11-28T10:00:00Z'));
  assert.deepEqual(due, { at: at('2026-11-29T00:00:00Z'), from: at('2026-11-28T00:00:00Z') });
});

test('a schedule fires within its bounds', () => {
  const bounded = { cron: '0 * * * *', from: at('2026-01-01T05:00:00Z'), until: at('2026-01-01T06:00:00Z') };
  assert.deepEqual(times(bounded, '2026-01-01T00:00:00Z', 9), ['2026-01-01T05:00:00.000Z', '2026-01-01T06:00:00.000Z']);
});

test('after a time away, none, the newest or all of what was missed is started', () => {
  const hourly = { cron: '0 * * * *' };
  const [after, until] = [at('2026-01-01T00:00:00Z'), at('2026-01-01T05:20:00Z')];
  assert.deepEqual(missed(hourly, after, until, 'none'), { start: [], more: false, leftOut: 5 });
  const last = { at: at('2026-01-01T05:00:00Z'), from: at('2026-01-01T04:00:00Z') };
  assert.deepEqual(missed(hourly, after, until, 'last'), { start: [last], more: false, leftOut: 4 });
  const all = missed(hourly, after, until, 'all');
  assert.deepEqual(
    all.start.map((due) => due.at),
    [1, 2, 3, 4, 5].map((hour) => after + hour * HOUR),
  );
  assert.equal(all.leftOut, 0);
});

test('a start that is a little late is no catching up', () => {
  const hourly = { cron: '0 * * * *' };
  const due = at('2026-01-01T01:00:00Z');
  assert.deepEqual(missed(hourly, due - HOUR, due + 40, 'none', 1000).start, [{ at: due, from: due - HOUR }]);
});

test('many missed times are told in parts', () => {
  const secondly = { cron: '* * * * * *' };
  const first = missed(secondly, 0, 3_000_000, 'all');
  assert.equal(first.start.length, MOST_AT_ONCE);
  assert.ok(first.more);
  const next = missed(secondly, first.start.at(-1)!.at, 3_000_000, 'all');
  assert.equal(next.start[0]!.from, first.start.at(-1)!.at);
});

test('a backfill covers the interval without gap or overlap', () => {
  const nightly = { cron: '0 3 * * *', timeZone: 'America/New_York' };
  const { start } = backfill(nightly, at('2026-10-30T00:00:00Z'), at('2026-11-03T00:00:00Z'));
  assert.equal(start.length, 4);
  for (let i = 1; i < start.length; i++) assert.equal(start[i]!.from, start[i - 1]!.at);
});

test('the newest of many missed times is found without a look at each', () => {
  const secondly = { cron: '* * * * * *', timeZone: 'Europe/Berlin' };
  const until = at('2026-11-28T17:00:00.500Z');
  assert.deepEqual(missed(secondly, at('2016-01-01T00:00:00Z'), until, 'last'), {
    start: [{ at: until - 500, from: until - 1500 }],
    more: false,
    leftOut: MOST_AT_ONCE,
  });
});

test('the newest missed time is the last of all', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
      fc.constantFrom('*/20 * * * *', '30 2 * * *', '0 0 1 * *', '15 1-3 * * *', '0 12 * * 1-5', '0 0 29 2 *'),
      fc.integer({ min: 0, max: 365 * 24 }),
      fc.integer({ min: 1, max: 20 * 24 * HOUR }),
      (timeZone, cron, hour, span) => {
        const schedule = { cron, timeZone };
        const after = at('2026-01-01T00:00:00Z') + hour * HOUR;
        const all = missed(schedule, after, after + span, 'all');
        if (all.more) return;
        const last = missed(schedule, after, after + span, 'last');
        assert.deepEqual(last.start, all.start.slice(-1));
        assert.equal(last.leftOut, Math.max(0, Math.min(MOST_AT_ONCE, all.start.length - 1)));
      },
    ),
    { seed: 18, numRuns: 200 },
  );
});

test('what is asked in parts is what is asked at once', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'];
  const crons = ['*/20 * * * *', '30 2 * * *', '0 0 1 * *', '15 1-3 * * *', '0 12 * * 1-5'];
  const start = at('2026-01-01T00:00:00Z');
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...crons),
      fc.integer({ min: 0, max: 365 }),
      fc.array(fc.integer({ min: 1, max: 50 * HOUR }), { minLength: 1, maxLength: 4 }),
      (timeZone, cron, day, steps) => {
        const schedule = { cron, timeZone };
        const begin = start + day * 24 * HOUR;
        const found: number[] = [];
        let from = begin;
        for (const step of steps) {
          found.push(...missed(schedule, from, from + step, 'all').start.map((due) => due.at));
          from += step;
        }
        const whole = missed(schedule, begin, from, 'all').start.map((due) => due.at);
        assert.deepEqual(found, whole);
        for (const each of whole) assert.ok(each > begin && each <= from);
      },
    ),
    { seed: 17, numRuns: 300 },
  );
});

test('what overlaps is started, left out, kept or takes the place of the other', () => {
  assert.equal(overlapping('skip', false), 'start');
  assert.equal(overlapping('allow', true), 'start');
  assert.equal(overlapping('skip', true), 'skip');
  assert.equal(overlapping('queue', true), 'queue');
  assert.equal(overlapping('replace', true), 'cancel-then-start');
});

test('a schedule that cannot be used says why and how it is written', () => {
  const [cron] = scheduleFaults({ cron: '61 * * * *' });
  assert.match(cron!.message, /"61 \* \* \* \*" cannot be read /);
  assert.match(cron!.cure, /minute.*such as/);
  const [zone] = scheduleFaults({ cron: '@daily', timeZone: 'Mars/Base' });
  assert.match(zone!.message, /"Mars\/Base" is not known/);
  assert.match(zone!.cure, /Give an IANA name/);
  assert.deepEqual(
    scheduleFaults({ cron: '@daily', from: 2, until: 1 }).map(({ message }) => message),
    ['it ends before it begins'],
  );
  assert.throws(() => dueAfter({ cron: 'x' }, 0), { code: 'config.invalid' });
});
