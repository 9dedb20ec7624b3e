import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Workflows } from '../../index.ts';
import { withWorkflows } from '../serve-workflows.fixture.ts';
import { reports, workflows as served, soldIn } from './workflows.ts';

const HOUR = 3_600_000;
const REGIONS = ['north', 'south', 'west'];

function opened(body: (workflows: Workflows) => Promise<void>): Promise<void> {
  reports.clear();
  return withWorkflows(served, body);
}

function sold(from: number, until: number): number {
  let sum = 0;
  for (let hour = from; hour < until; hour += HOUR) {
    for (const region of REGIONS) sum += soldIn(region, Math.ceil(hour / HOUR) * HOUR);
  }
  return sum;
}

test(
  'a backfilled month has a report for each night, and together they hold every sale once',
  { timeout: 240_000 },
  () =>
    opened(async (workflows) => {
      const [from, until] = [Date.parse('2026-03-01T00:00:00Z'), Date.parse('2026-04-01T00:00:00Z')];
      const nights = await workflows.backfill('nightly', from, until);
      const ends = await Promise.all(nights.map(({ execution }) => workflows.ended(execution)));
      assert.deepEqual([...new Set(ends.map(({ status }) => status))], ['COMPLETED']);
      assert.equal(reports.size, 31);
      const total = [...reports.values()].reduce((sum, each) => sum + each.total, 0);
      assert.equal(total, sold(nights[0]!.from, nights.at(-1)!.at));
      const short = reports.get('2026-03-28T01:30:00Z to 2026-03-29T01:00:00Z');
      assert.equal(short?.lines.length, 3, 'the night in which the clocks change has one too');
      const again = await workflows.backfill('nightly', from, until);
      assert.ok(again.every(({ existing }) => existing));
      assert.equal(reports.size, 31);
    }),
);

test('it is due at half past two in Berlin', { timeout: 240_000 }, () =>
  opened(async (workflows) => {
    let schedules = await workflows.schedules();
    while (schedules.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      schedules = await workflows.schedules();
    }
    const [schedule] = schedules;
    const local = new Date(schedule!.next!).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' });
    assert.match(local, /^02:30:00|^03:00:00/);
    assert.deepEqual([schedule!.workflow, schedule!.overlap, schedule!.catchUp], ['nightly', 'queue', 'all']);
  }),
);
