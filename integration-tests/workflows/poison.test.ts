import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertHeld, ENDS, openPoison, QUARANTINE } from './poison-world.ts';
import { runChild } from './run-child.ts';
import { openLog, type Place } from './world.ts';

/** Of the first process that ends it may not be known for what. */
const MOST_ENDS = QUARANTINE.heldAfter * ENDS.length + 1;

test('S5.1.c: tasks that end their process by exit, by a signal, by what nobody catches, are held, and all others complete', {
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-poison-'));
  const place: Place = { directory };
  try {
    const script = [join(import.meta.dirname, 'poison-child.ts'), JSON.stringify(place)];
    const ends: string[] = [];
    for (;;) {
      const { code, signal, output, errors } = await runChild(script);
      if (output.includes('all ended')) break;
      if (code === 7) ends.push('exit');
      else if (signal === 'SIGKILL') ends.push('kill');
      else if (errors.includes('nobody catches it')) ends.push('throw');
      else assert.fail(`${code} ${signal} ${errors}`);
      assert.ok(ends.length <= MOST_ENDS, `it does not end: ${ends.join(' ')}`);
    }
    t.diagnostic(ends.join(' '));
    for (const how of ENDS) assert.ok(ends.filter((each) => each === how).length >= 1, `${how}: ${ends.join(' ')}`);
    const log = await openLog(place);
    const workflows = await openPoison(place, log);
    try {
      for (const how of ENDS) await assertHeld(workflows, how);
    } finally {
      await workflows.drain();
      await log.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
