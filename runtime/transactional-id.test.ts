import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { topology } from '../integration-tests/crash/topology.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const directory = mkdtempSync(join(tmpdir(), 'nodeflow-ids-'));
after(() => rmSync(directory, { recursive: true, force: true }));

for (const plane of ['data', 'control'] as const) {
  test(`the id of the transactions of a run of the ${plane} plane ends so, and is that of its slot`, async () => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    const ids: string[] = [];
    const open = log.producer.bind(log);
    log.producer = (options) => {
      const { transactionalId: id } = options;
      if (id?.startsWith('crash-') === true) ids.push(id);
      return open(options);
    };
    const run = await startRun({
      ...{ program: topology.build(), log, state: createStateBackend({}), directory },
      ...{ clock: systemClock, telemetry: silentTelemetry(), settings: { ...DEFAULT_SETTINGS, plane } },
    });
    await run.drain();
    const slot = JSON.parse(readFileSync(join(directory, 'crash', '0', 'slot.json'), 'utf8')) as { id: string };
    assert.deepEqual(ids, [`crash-${slot.id}-0-${plane}`]);
    await log.close();
  });
}
