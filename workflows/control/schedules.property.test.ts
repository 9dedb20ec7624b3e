import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../core/ids.ts';
import { ScheduleDriver, waiting } from './testing/schedule-driver.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-01T00:00:30Z');

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('walk' as const), minutes: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leap' as const), minutes: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('go' as const, 'commit' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'restart' as const) }) },
);

/** Times that are due at whole five minutes, by counting. */
function dueUpTo(until: number): readonly string[] {
  const names: string[] = [];
  for (let at = START - (START % (5 * MINUTE)) + 5 * MINUTE; at <= until; at += 5 * MINUTE) {
    names.push(`nightly@${new Date(at).toISOString().replace('.000', '')}`);
  }
  return names;
}

test('under crashes and leaps no time is started twice, none overlaps that may not, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('allow' as const, 'skip' as const, 'queue' as const, 'replace' as const),
      fc.constantFrom('none' as const, 'last' as const, 'all' as const),
      fc.array(action, { minLength: 5, maxLength: 40 }),
      async (overlap, catchUp, actions) => {
        const driver = await ScheduleDriver.open(new Date(START).toISOString());
        const config = { cron: '*/5 * * * *' };
        driver.publish(waiting({ type: 'schedule', config, overlap, catchUp }) as unknown as Json);
        for (const each of actions) {
          const now = driver.clock.now();
          if (each.do === 'walk') driver.walkTo(new Date(now + each.minutes * MINUTE).toISOString());
          else if (each.do === 'leap') driver.leapTo(new Date(now + each.minutes * MINUTE).toISOString());
          else if (each.do === 'commit') driver.commit();
          else if (each.do === 'crash') await driver.crash();
          else if (each.do === 'restart') await driver.restart();
          else if (driver.row!.running !== null) driver.go(driver.row!.running);
        }
        driver.walkTo(new Date(driver.clock.now() + 6 * MINUTE).toISOString());
        const last = driver.clock.now();
        while (driver.row!.running !== null) driver.go(driver.row!.running);
        const { started } = driver;
        assert.equal(new Set(started).size, started.length);
        const due = dueUpTo(last);
        for (const each of started) assert.ok(due.includes(each), `${each} was not due`);
        const { leftOut } = driver.row!.triggers[0]!;
        assert.equal(started.length + leftOut, due.length, 'each time is started or left out');
        if (catchUp === 'all' && (overlap === 'allow' || overlap === 'queue')) assert.equal(leftOut, 0);
        if (overlap !== 'allow') {
          const spans = started.map((each) => driver.span(each)).sort(([a], [b]) => a - b);
          for (let i = 1; i < spans.length; i++) assert.ok(spans[i]![0] >= spans[i - 1]![1], 'two ran at a time');
        }
        assert.equal(driver.timers, 1);
      },
    ),
    { seed: 6, numRuns: 40 },
  );
});
