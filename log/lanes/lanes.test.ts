import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createFileLog } from '../file/file.ts';
import { logConformance } from '../log.conformance.ts';
import { createMemoryLog } from '../memory/memory.ts';
import { createLaneLog } from './lanes.ts';
import { LANES_LEFT_OUT } from './left-out.fixture.ts';

const START = 1_700_000_000_000;
const runOf = () => 'all';

logConformance(
  'lanes over memory',
  async () => {
    const clock = new VirtualClock(START);
    const below = createMemoryLog({ clock, random: seededRandom(1) });
    const log = createLaneLog(below, { clock, runOf });
    const close = async () => {
      await log.close();
      await below.close();
    };
    return { log, clock, advance: (ms) => clock.advance(ms), close };
  },
  { leftOut: LANES_LEFT_OUT },
);

logConformance(
  'lanes over file',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nodeflow-lanes-'));
    const clock = new VirtualClock(START);
    const below = await createFileLog({ directory, clock, options: { maintainMs: 0 } });
    const log = createLaneLog(below, { clock, runOf });
    const close = async () => {
      await log.close();
      await below.close();
      await rm(directory, { recursive: true, force: true });
    };
    return { log, clock, advance: (ms) => clock.advance(ms), close };
  },
  { leftOut: LANES_LEFT_OUT },
);
