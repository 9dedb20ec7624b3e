import type { TopicPartition } from '../core/ids.ts';
import type { Fetched, Log } from '../log/log.ts';

export interface Hold {
  /** Of what is read: whether it is held back. */
  isHeld(partition: TopicPartition): boolean;
  /** Of each reader: asked at each fetch whether what it holds is let go. */
  gate(): () => boolean;
  onAssign?(partitions: readonly TopicPartition[]): void;
}

/** The same log, whose readers are given some of what they read later than all else, as by a slower broker. */
export function holdingBack(log: Log, { isHeld, gate, onAssign }: Hold): Log {
  return {
    capabilities: log.capabilities,
    admin: log.admin,
    producer: (options) => log.producer(options),
    join: (options) => log.join(options),
    committed: (...args) => log.committed(...args),
    close: () => log.close(),
    reader(options) {
      const reader = log.reader(options);
      const isOpen = gate();
      let held: Fetched[] = [];
      return {
        assign(partitions) {
          onAssign?.(partitions);
          reader.assign(partitions);
        },
        unassign: (partitions) => reader.unassign(partitions),
        pause: (partition) => reader.pause(partition),
        resume: (partition) => reader.resume(partition),
        close: () => reader.close(),
        async fetch(maxWaitMs, signal) {
          const all = await reader.fetch(Math.min(5, maxWaitMs), signal);
          held.push(...all.filter(isHeld));
          const rest = all.filter((fetched) => !isHeld(fetched));
          if (!isOpen()) return rest;
          const late = held;
          held = [];
          return [...rest, ...late];
        },
      };
    },
  };
}
