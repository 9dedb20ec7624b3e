import { readFileSync } from 'node:fs';
import type { ServedWorkflows } from '../../index.ts';

/**
 * A nightly batch that is run by its schedule, made up for when it was missed, and backfilled: `npm run demo`. The shop
 * is played here: it is open day and night, and sells by the hour.
 */
const document: unknown = JSON.parse(readFileSync(new URL('workflow.json', import.meta.url), 'utf8'));

const HOUR = 3_600_000;

interface Interval {
  readonly from: string;
  readonly until: string;
}

interface Report extends Interval {
  readonly total: number;
  readonly lines: readonly { readonly region: string; readonly sold: number }[];
}

/** By the interval that they cover: a report that is filed twice is there once. */
export const reports = new Map<string, Report>();

/** In the hour that begins at a time; the same whenever it is asked for. */
export function soldIn(region: string, hour: number): number {
  return ((hour / HOUR) * 7 + region.length * 3) % 11;
}

export const workflows: ServedWorkflows = {
  documents: [document],
  hints: [
    '',
    'The nightly report, in another terminal:',
    '  npm run nodeflow -- execution schedules',
    '  npm run nodeflow -- execution backfill nightly --from 2026-03-01T00:00:00Z --before 2026-04-01T00:00:00Z',
    '  npm run nodeflow -- execution show nightly@2026-03-29T01:00:00Z   # the night without a half past two',
  ],
  tasks: {
    async sales(argument) {
      const { region, from, until } = argument as unknown as Interval & { readonly region: string };
      let sold = 0;
      for (let hour = Math.ceil(Date.parse(from) / HOUR) * HOUR; hour < Date.parse(until); hour += HOUR) {
        sold += soldIn(region, hour);
      }
      return { region, sold };
    },
    async file(argument) {
      const { from, until, sales } = argument as unknown as Interval & { readonly sales: Report['lines'] };
      const total = sales.reduce((sum, { sold }) => sum + sold, 0);
      const name = `${from} to ${until}`;
      reports.set(name, { from, until, total, lines: sales });
      return { name, total };
    },
  },
};
