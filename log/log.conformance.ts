import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_CASES } from './conformance/admin.conformance.ts';
import { Bench, type LogCase, type OpenLog } from './conformance/bench.conformance.ts';
import { GROUP_CASES } from './conformance/groups.conformance.ts';
import { READING_CASES } from './conformance/reading.conformance.ts';
import { STATIC_CASES } from './conformance/static.conformance.ts';
import { TRANSACTION_CASES } from './conformance/transactions.conformance.ts';

export type { OpenLog } from './conformance/bench.conformance.ts';

const CASES: readonly LogCase[] = [
  ...ADMIN_CASES,
  ...READING_CASES,
  ...TRANSACTION_CASES,
  ...GROUP_CASES,
  ...STATIC_CASES,
];

/** Every case by name, for docs/drivers.md. */
export const LOG_CASES: readonly string[] = CASES.map(({ name }) => name);

export interface LogConformanceOptions {
  /** Cases that the driver cannot pass, each with the reason that docs/drivers.md gives. */
  readonly leftOut?: Readonly<Record<string, string>>;
}

/**
 * Runs the contract of `log.ts` against a driver. `open` is called for each case and answers an empty log. Cases
 * that need time to pass use the opener's `advance`, or wait for real for a second or two.
 */
export function logConformance(
  driver: string,
  open: () => Promise<OpenLog>,
  { leftOut = {} }: LogConformanceOptions = {},
): void {
  test(`${driver}: only known cases are left out`, () => {
    for (const name of Object.keys(leftOut)) assert.ok(LOG_CASES.includes(name), `${name} is no case`);
  });
  for (const { name, run } of CASES) {
    if (Object.hasOwn(leftOut, name)) continue;
    test(`${driver}: ${name}`, { timeout: 240_000 }, async () => {
      const opened = await open();
      try {
        await run(new Bench(opened));
      } finally {
        await opened.close();
      }
    });
  }
}
