import type { TopicPartition } from '../../core/ids.ts';
import type { Fetched, Log, LogProducer, LogReader } from '../log.ts';

/**
 * A log of its own on a cluster that others use too: topics, groups and transactional ids get a prefix, and only what
 * has it is listed. Messages, and the identities of members, show the names with their prefix.
 */
export function prefixed(log: Log, prefix: string): Log {
  const name = (text: string) => `${prefix}${text}`;
  const bare = (text: string) => text.slice(prefix.length);
  const place = <T extends TopicPartition>(partition: T): T => ({ ...partition, topic: name(partition.topic) });
  const isOurs = (text: string) => text.startsWith(prefix);
  const { admin } = log;
  return {
    capabilities: log.capabilities,
    admin: {
      create: (topic, settings) => admin.create(isName(topic) ? name(topic) : topic, settings),
      describe: async (topic) => {
        const found = await admin.describe(name(topic));
        return found && { ...found, topic };
      },
      list: async () => (await admin.list()).filter(isOurs).map(bare),
      delete: (topic) => admin.delete(name(topic)),
      alter: (topic, settings) => admin.alter(name(topic), settings),
      deleteRecords: (topic, partition, before) => admin.deleteRecords(name(topic), partition, before),
      bounds: (topic, partition) => admin.bounds(name(topic), partition),
      positionSince: (topic, partition, timestamp) => admin.positionSince(name(topic), partition, timestamp),
      groups: async (names) =>
        (await admin.groups(names?.map(name)))
          .filter(({ group }) => isOurs(group))
          .map((group) => ({
            ...group,
            group: bare(group.group),
            positions: group.positions.map((position) => ({ ...position, topic: bare(position.topic) })),
          })),
      deleteGroup: (group) => admin.deleteGroup(name(group)),
      setPositions: (group, positions) => admin.setPositions(name(group), positions.map(place)),
    },
    reader: (options) => prefixedReader(log.reader(options), place, bare),
    producer: async (options) => {
      const { transactionalId } = options;
      const inner = await log.producer(
        transactionalId === undefined ? options : { ...options, transactionalId: name(transactionalId) },
      );
      return prefixedProducer(inner, name, place);
    },
    join: (options) => log.join({ ...options, group: name(options.group) }),
    committed: (group, partitions) => log.committed(name(group), partitions.map(place)),
    close: () => log.close(),
  };
}

/** Names that are refused whatever stands before them; one of dots would be a good name with a prefix. */
function isName(topic: string): boolean {
  return !/^\.+$/.test(topic);
}

function prefixedReader(
  reader: LogReader,
  place: <T extends TopicPartition>(partition: T) => T,
  bare: (text: string) => string,
): LogReader {
  return {
    assign: (partitions) => reader.assign(partitions.map(place)),
    unassign: (partitions) => reader.unassign(partitions.map(place)),
    pause: (partition) => reader.pause(place(partition)),
    resume: (partition) => reader.resume(place(partition)),
    fetch: async (maxWaitMs, signal) =>
      (await reader.fetch(maxWaitMs, signal)).map((fetched): Fetched => {
        const { partition, bytes, starts, ends, position, next, end } = fetched;
        const release = () => fetched.release();
        return { topic: bare(fetched.topic), partition, bytes, starts, ends, position, next, end, release };
      }),
    close: () => reader.close(),
  };
}

function prefixedProducer(
  producer: LogProducer,
  name: (text: string) => string,
  place: <T extends TopicPartition>(partition: T) => T,
): LogProducer {
  return {
    append: (topic, partition, batch) => producer.append(name(topic), partition, batch),
    begin: () => producer.begin(),
    sendPositions: (member, positions) => producer.sendPositions(member, positions.map(place)),
    commit: () => producer.commit(),
    abort: () => producer.abort(),
    close: () => producer.close(),
  };
}
