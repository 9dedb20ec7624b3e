import type { Log, LogProducer } from '../log/log.ts';

/** As a process that was killed: nothing it does is answered any more, nor done. */
export class Killed extends Error {}

/**
 * The log as a process has it that is killed at one of its writes, before it is done or when it is: what it has open
 * stays open, until `timedOut`, as a broker does by itself after a while. `writes` counts those that were asked for.
 */
export function dyingLog(log: Log, at: { readonly write: number; readonly when: 'before' | 'after' }) {
  let writes = 0;
  let isDead = false;
  const producers: LogProducer[] = [];
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Killed();
    const isLast = ++writes === at.write;
    if (isLast) isDead = true;
    if (isLast && at.when === 'before') throw new Killed();
    const result = await act();
    if (isLast) throw new Killed();
    return result;
  };
  const dying = (producer: LogProducer): LogProducer => ({
    append: (...args) => step(() => producer.append(...args)),
    begin: () => {
      if (!isDead) producer.begin();
    },
    sendPositions: (...args) => step(() => producer.sendPositions(...args)),
    commit: () => step(() => producer.commit()),
    abort: async () => (isDead ? undefined : producer.abort()),
    close: async () => (isDead ? undefined : producer.close()),
  });
  const killed: Log = {
    capabilities: log.capabilities,
    admin: log.admin,
    reader: (options) => log.reader(options),
    producer: async (options) => {
      const producer = await step(() => log.producer(options));
      producers.push(producer);
      return dying(producer);
    },
    join: (options) => log.join(options),
    committed: (...args) => log.committed(...args),
    close: async () => undefined,
  };
  return {
    log: killed,
    get writes() {
      return writes;
    },
    async timedOut(): Promise<void> {
      isDead = true;
      for (const each of producers) {
        await each.abort().catch(() => undefined);
        await each.close().catch(() => undefined);
      }
    },
  };
}
