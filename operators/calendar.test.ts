import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Calendar } from './calendar.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Unit = 'day' | 'week' | 'month';

function spanAt(unit: Unit, timeZone: string, at: string): string {
  const calendar = new Calendar({ unit, timeZone });
  calendar.moveTo(Date.parse(at));
  return `${new Date(calendar.start).toISOString()} ${new Date(calendar.end).toISOString()}`;
}

test('days are as long as the clocks of the zone make them', () => {
  const berlin = (at: string) => spanAt('day', 'Europe/Berlin', at);
  assert.equal(berlin('2026-03-29T12:00:00Z'), '2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z');
  assert.equal(berlin('2026-10-25T12:00:00Z'), '2026-10-24T22:00:00.000Z 2026-10-25T23:00:00.000Z');
  assert.equal(berlin('2026-10-24T22:00:00Z'), '2026-10-24T22:00:00.000Z 2026-10-25T23:00:00.000Z');
  assert.equal(berlin('2026-10-24T21:59:59.999Z'), '2026-10-23T22:00:00.000Z 2026-10-24T22:00:00.000Z');
});

test('weeks begin on Monday, months on their first day', () => {
  assert.equal(spanAt('week', 'UTC', '2026-11-29T23:59:59Z'), '2026-11-23T00:00:00.000Z 2026-11-30T00:00:00.000Z');
  assert.equal(spanAt('week', 'UTC', '1970-01-01T00:00:00Z'), '1969-12-29T00:00:00.000Z 1970-01-05T00:00:00.000Z');
  assert.equal(
    spanAt('month', 'America/New_York', '2026-03-01T04:59:59Z'),
    '2026-02-01T05:00:00.000Z 2026-03-01T05:00:00.000Z',
  );
  assert.equal(
    spanAt('month', 'America/New_York', '2026-03-15T00:00:00Z'),
    '2026-03-01T05:00:00.000Z 2026-04-01T04:00:00.000Z',
  );
});

test('where midnight is skipped, a day begins at the change of the clocks', () => {
  assert.equal(
    spanAt('day', 'America/Sao_Paulo', '2018-11-04T12:00:00Z'),
    '2018-11-04T03:00:00.000Z 2018-11-05T02:00:00.000Z',
  );
  // Samoa went over the date line: its 30th of December 2011 never was.
  assert.equal(
    spanAt('day', 'Pacific/Apia', '2011-12-30T09:00:00Z'),
    '2011-12-29T10:00:00.000Z 2011-12-30T10:00:00.000Z',
  );
  assert.equal(
    spanAt('day', 'Pacific/Apia', '2011-12-30T10:00:00Z'),
    '2011-12-30T10:00:00.000Z 2011-12-31T10:00:00.000Z',
  );
});

test('where clocks are put back over midnight, a day begins at the first of its midnights', () => {
  // At one minute past midnight clocks went back to one minute past eleven.
  assert.equal(
    spanAt('day', 'America/St_Johns', '2010-11-07T02:45:00Z'),
    '2010-11-07T02:30:00.000Z 2010-11-08T03:30:00.000Z',
  );
});

test('windows follow each other without a gap, whatever is asked in whatever order', () => {
  const zones = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu', 'Africa/Cairo');
  const units = fc.constantFrom<Unit>('day', 'week', 'month');
  const times = fc.array(fc.integer({ min: 0, max: 60 * 365 * DAY }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(zones, units, times, (timeZone, unit, list) => {
      const calendar = new Calendar({ unit, timeZone });
      for (const at of list) {
        calendar.moveTo(at);
        const { start, end } = calendar;
        assert.ok(start <= at && at < end);
        const fresh = new Calendar({ unit, timeZone });
        fresh.moveTo(end);
        assert.equal(fresh.start, end);
        fresh.moveTo(start);
        assert.deepEqual([fresh.start, fresh.end], [start, end]);
      }
    }),
    { numRuns: 60, seed: 9 },
  );
});

test('a record asks the time zone database only where no record of its window was before', () => {
  let asked = 0;
  const { formatToParts } = Intl.DateTimeFormat.prototype;
  Intl.DateTimeFormat.prototype.formatToParts = function parts(this: Intl.DateTimeFormat, at) {
    asked++;
    return formatToParts.call(this, at);
  };
  try {
    const calendar = new Calendar({ unit: 'day', timeZone: 'Europe/Berlin' });
    for (let hour = 0; hour < 24 * 30; hour++) calendar.moveTo(hour * HOUR);
    const once = asked;
    for (let hour = 24 * 30 - 1; hour >= 0; hour--) calendar.moveTo(hour * HOUR);
    assert.equal(asked, once);
    assert.ok(once < 31 * 30, `${once} questions`);
  } finally {
    Intl.DateTimeFormat.prototype.formatToParts = formatToParts;
  }
});
