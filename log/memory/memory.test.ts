import { VirtualClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { logConformance } from '../log.conformance.ts';
import { createMemoryLog } from './memory.ts';

logConformance('memory', async () => {
  const clock = new VirtualClock(1_700_000_000_000);
  const log = createMemoryLog({ clock, random: seededRandom(1) });
  return {
    log,
    clock,
    advance: (ms) => clock.advance(ms),
    compact: async (topic) => log.compact(topic),
    expire: async (topic) => log.expire(topic),
    close: () => log.close(),
  };
});
