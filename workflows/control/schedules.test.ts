import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import type { TriggerSpec, WorkflowDocument } from '../document.ts';
import { instant, ScheduleDriver, waiting } from './testing/schedule-driver.ts';

const hourly = (more: Omit<TriggerSpec, 'type'> = {}): TriggerSpec => ({
  ...{ type: 'schedule', config: { cron: '0 * * * *' } },
  ...more,
});
const json = (document: WorkflowDocument) => document as unknown as Json;
const hour = (n: number) => `nightly@2026-01-01T${String(n).padStart(2, '0')}:00:00Z`;
const hours = (...all: readonly number[]) => all.map(hour);

async function opened(document: WorkflowDocument, start = '2026-01-01T00:30:00Z'): Promise<ScheduleDriver> {
  const driver = await ScheduleDriver.open(start);
  driver.publish(json(document));
  return driver;
}

test('a schedule starts an execution at each of its times, which has the interval in its input', async () => {
  const config = { cron: '0 * * * *', input: { region: 'north' } };
  const driver = await opened(instant({ type: 'schedule', config }));
  driver.walkTo('2026-01-01T03:30:00Z');
  assert.deepEqual(driver.started, hours(1, 2, 3));
  assert.deepEqual(driver.input(hour(2)), {
    region: 'north',
    schedule: { at: '2026-01-01T02:00:00Z', from: '2026-01-01T01:00:00Z' },
  });
  assert.equal(driver.ended(hour(2)), 'COMPLETED');
  assert.equal(driver.row!.running, null);
});

test('a nightly one fires once in each night in which clocks change', async () => {
  const nightly = instant({ type: 'schedule', config: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } });
  const spring = await opened(nightly, '2026-03-28T00:00:00Z');
  spring.walkTo('2026-03-30T12:00:00Z');
  const at = (text: string) => `nightly@2026-${text}:00Z`;
  assert.deepEqual(spring.started, [at('03-28T01:30'), at('03-29T01:00'), at('03-30T00:30')]);
  const autumn = await opened(nightly, '2026-10-24T12:00:00Z');
  autumn.walkTo('2026-10-26T12:00:00Z');
  assert.deepEqual(autumn.started, [at('10-25T00:30'), at('10-26T01:30')]);
});

test('what was missed while nothing ran is made up for as the schedule says', async () => {
  for (const [catchUp, found, leftOut] of [
    ['none', [1], 5],
    ['last', [1, 6], 4],
    ['all', [1, 2, 3, 4, 5, 6], 0],
  ] as const) {
    const driver = await opened(instant(hourly({ catchUp, overlap: 'allow' })));
    driver.walkTo('2026-01-01T01:10:00Z');
    await driver.restart();
    driver.leapTo('2026-01-01T06:20:00Z');
    assert.deepEqual([...driver.started].sort(), hours(...found), catchUp);
    assert.equal(driver.row!.triggers[0]!.leftOut, leftOut);
    driver.walkTo('2026-01-01T07:20:00Z');
    assert.equal(driver.started.at(-1), hour(7), 'and then it goes on');
  }
});

test('a start that is a little late is none that was missed', async () => {
  const driver = await opened(instant(hourly({ catchUp: 'none' })));
  driver.leapTo('2026-01-01T01:00:40Z');
  assert.deepEqual(driver.started, hours(1));
});

test('what overlaps with the one before is left out', async () => {
  const driver = await opened(waiting(hourly({ overlap: 'skip' })));
  driver.walkTo('2026-01-01T03:10:00Z');
  assert.deepEqual(driver.started, hours(1));
  driver.go(hour(1));
  assert.equal(driver.ended(hour(1)), 'COMPLETED');
  driver.walkTo('2026-01-01T04:10:00Z');
  assert.deepEqual(driver.started, hours(1, 4));
  assert.equal(driver.row!.triggers[0]!.leftOut, 2);
});

test('what overlaps runs beside the one before', async () => {
  const driver = await opened(waiting(hourly({ overlap: 'allow' })));
  driver.walkTo('2026-01-01T03:10:00Z');
  assert.deepEqual(driver.started, hours(1, 2, 3));
  driver.go(hour(1));
  driver.go(hour(3));
  assert.equal(driver.row!.running, null);
});

test('what overlaps waits for the end of the one before, one behind the other', async () => {
  const driver = await opened(waiting(hourly({ overlap: 'queue' })));
  driver.walkTo('2026-01-01T04:10:00Z');
  assert.deepEqual(driver.started, hours(1));
  assert.equal(driver.row!.triggers[0]!.queue.length, 3);
  await driver.restart();
  for (const n of [1, 2, 3]) {
    driver.go(hour(n));
    assert.deepEqual(driver.started, hours(...[1, 2, 3, 4].slice(0, n + 1)));
  }
  driver.go(hour(4));
  assert.equal(driver.row!.running, null);
});

test('what overlaps takes the place of the one before when that has ended', async () => {
  const driver = await opened(waiting(hourly({ overlap: 'replace' })));
  driver.walkTo('2026-01-01T03:10:00Z');
  assert.deepEqual(driver.started, hours(1, 2, 3));
  assert.deepEqual(
    hours(1, 2, 3).map((each) => driver.ended(each)),
    ['CANCELLED', 'CANCELLED', undefined],
  );
  assert.equal(driver.row!.running, hour(3));
});

test('more missed times than a queue holds are all made up for, in order', async () => {
  const minutely: TriggerSpec = {
    ...{ type: 'schedule', config: { cron: '* * * * *' } },
    ...{ catchUp: 'all', overlap: 'queue' },
  };
  const driver = await opened(waiting(minutely), '2026-01-01T00:00:30Z');
  driver.leapTo('2026-01-01T05:00:10Z');
  for (let n = 0; n < 299; n++) driver.go(driver.row!.running!);
  const { started } = driver;
  assert.equal(started.length, 300);
  assert.equal(new Set(started).size, 300);
  assert.deepEqual(started, [...started].sort());
});

test('a time that was started by hand is not started again, however long ago that was', async () => {
  const document = instant(hourly({ overlap: 'skip' }));
  const driver = await opened(document, '2025-12-29T00:30:00Z');
  driver.start(hour(0), { ...document, id: 'nightly' });
  assert.equal(driver.started.filter((each) => each === hour(0)).length, 1);
  driver.walkTo('2026-01-01T01:10:00Z', 600_000);
  assert.equal(driver.started.filter((each) => each === hour(0)).length, 1);
  assert.equal(driver.started.at(-1), hour(1), 'what has ended before holds nothing up');
});

test('a newer version takes the place of the schedule, an older one does not, and one without ends it', async () => {
  const driver = await opened(instant(hourly()));
  driver.walkTo('2026-01-01T01:30:00Z');
  const halfHourly: TriggerSpec = { type: 'schedule', config: { cron: '30 * * * *' } };
  driver.publish(json(instant(halfHourly, '2.0.0')));
  driver.publish(json(instant(hourly(), '1.5.0')));
  driver.publish(json(instant(halfHourly, '2.0.0')));
  driver.walkTo('2026-01-01T03:10:00Z');
  assert.deepEqual(driver.started, [hour(1), 'nightly@2026-01-01T02:30:00Z']);
  const { triggers: _, ...without } = instant(hourly(), '3.0.0');
  driver.publish(json(without));
  driver.walkTo('2026-01-01T05:10:00Z');
  assert.equal(driver.started.length, 2);
  assert.deepEqual([driver.row, driver.timers], [undefined, 0]);
});

test('a time that was due when a newer version came is not lost', async () => {
  const driver = await opened(instant(hourly()), '2026-01-01T00:59:59.990Z');
  const { clock } = driver;
  clock.advance(20);
  driver.publish(json(instant({ type: 'schedule', config: { cron: '30 * * * *' } }, '2.0.0')));
  assert.deepEqual(driver.started, hours(1));
});

test('where a partition was not told of the workflow, the schedule tells it', async () => {
  const driver = await ScheduleDriver.open('2026-01-01T00:30:00Z');
  driver.publish(json(instant(hourly())), []);
  driver.walkTo('2026-01-01T06:10:00Z');
  assert.deepEqual(driver.started, hours(1, 2, 3, 4, 5, 6));
});

test('crashes between any two commits lose no time and start none twice', async () => {
  const driver = await opened(waiting(hourly({ overlap: 'queue', catchUp: 'all' })));
  driver.commit();
  for (let n = 1; n <= 8; n++) {
    driver.walkTo(`2026-01-01T0${n}:10:00Z`, 600_000);
    if (n % 3 === 1) driver.commit();
    if (n % 2 === 0) await driver.crash();
    driver.walkTo(`2026-01-01T0${n}:20:00Z`, 600_000);
    if (driver.row!.running !== null && n % 2 === 1) driver.go(driver.row!.running);
    if (n % 3 === 0) await driver.crash();
  }
  while (driver.row!.running !== null) driver.go(driver.row!.running);
  assert.deepEqual(driver.started, hours(1, 2, 3, 4, 5, 6, 7, 8));
});
