import assert from 'node:assert/strict';
import type { ControlDriver } from './control-driver.ts';

/**
 * Runs what was started until nothing is open, with a crash before the commit that stands at this place; `undefined`:
 * none. Answers how many commits there were.
 */
export async function runWithCrashAt(driver: ControlDriver, place: number | undefined): Promise<number> {
  let commits = 0;
  const boundary = async (): Promise<void> => {
    if (commits++ === place) await driver.crash();
    driver.commit();
  };
  for (;;) {
    await boundary();
    await driver.settle();
    await boundary();
    if (driver.open === 0 && driver.records.length > 0) return commits;
    assert.ok(await driver.next());
  }
}
