import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { createFileLog } from '../../log/file/file.ts';
import type { World } from './world.ts';

/** The file log: one process at a time owns it. */
export function createFileWorld(folder: string): World {
  return {
    kind: 'file',
    shared: false,
    openLog: (run) => createFileLog({ directory: join(folder, run, 'log'), clock: systemClock }),
    engineFor: (run) => ({ directory: join(folder, run) }),
    stateOf: (run) => join(folder, run, 'state'),
    proxy: undefined,
    brokers: undefined,
    close: async () => undefined,
  };
}
