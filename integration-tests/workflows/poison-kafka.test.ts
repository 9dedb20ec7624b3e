import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { uniqueId } from '../../core/random.ts';
import { testBrokers } from '../support/brokers.ts';
import { assertHeld, openPoison, QUARANTINE } from './poison-world.ts';
import { runChild } from './run-child.ts';
import { openLog, type Place } from './world.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

test('S5.1.c: a task that ends each process which takes it over is held, and the others go on', {
  skip: brokers === undefined,
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-poison-'));
  const prefix = `poison-${uniqueId()}.`;
  const place = (name: string): Place => ({
    ...{ directory: join(directory, name), brokers: brokers!.addresses.brokers, prefix },
  });
  const ends: string[] = [];
  /** Starts one again whenever it has ended before it was done. */
  const keepUp = async (name: string): Promise<void> => {
    for (;;) {
      const script = join(import.meta.dirname, 'poison-child.ts');
      const { code, signal, output, errors } = await runChild([script, JSON.stringify(place(name)), 'kill']);
      if (output.includes('all ended')) return;
      assert.equal(signal, 'SIGKILL', `${code} ${errors}`);
      ends.push(name);
      assert.ok(ends.length <= QUARANTINE.heldAfter + 1, `it does not end: ${ends.join(' ')}`);
    }
  };
  try {
    await Promise.all(['one', 'two'].map(keepUp));
    t.diagnostic(`ended: ${ends.join(' ')}`);
    const log = await openLog(place('here'));
    const workflows = await openPoison(place('here'), log);
    try {
      await assertHeld(workflows, 'kill');
    } finally {
      await workflows.drain();
      await log.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
