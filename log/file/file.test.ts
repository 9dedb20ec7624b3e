import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '../../core/clock.ts';
import { logConformance } from '../log.conformance.ts';
import { createFileLog } from './file.ts';

logConformance('file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-log-'));
  const clock = new VirtualClock(1_700_000_000_000);
  const log = await createFileLog({ directory, clock, options: { maintainMs: 0 } });
  const maintain = async () => {
    await log.maintain();
  };
  return {
    log,
    clock,
    advance: (ms) => clock.advance(ms),
    compact: maintain,
    expire: maintain,
    close: async () => {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
