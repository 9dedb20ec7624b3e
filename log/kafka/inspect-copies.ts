import type { Finding } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { brokerErrorOf } from './failures.ts';
import type { Metadata } from './library.ts';
import { retry } from './retry.ts';

/** The kind of thing that has configs. */
const TOPIC = 2 as const;
const MIN_IN_SYNC = 'min.insync.replicas';

type Topic = Metadata['topics'][number];

/** Whether partitions of these topics have all their copies; topics that are not there are left out. */
export async function inspectCopies(cluster: Cluster, topics: readonly string[]): Promise<readonly Finding[]> {
  if (topics.length === 0) return [];
  const brokers = (await cluster.brokers()).length;
  const { metadataV12, describeConfigsV4 } = cluster.library;
  const once = async () => {
    const answer = await cluster
      .call(await cluster.controller(), 'admin', (connection) => metadataV12.api.async(connection, [...topics], false))
      .catch((thrown: unknown) => {
        // The library throws where any topic of the answer has an error; the answer stands beside it.
        const response = (thrown as { readonly response?: Metadata }).response;
        if (brokerErrorOf(thrown) === undefined || response === undefined) throw thrown;
        return response;
      });
    const there = answer.topics.filter(({ errorCode }) => errorCode === 0);
    if (there.length === 0) return [];
    const resources = there.map(({ name }) => ({
      ...{ resourceType: TOPIC, resourceName: name ?? '', configurationKeys: [MIN_IN_SYNC] },
    }));
    const configs = await cluster.call(await cluster.controller(), 'admin', (connection, versions) =>
      versions.choose('DescribeConfigs', describeConfigsV4.api).async(connection, resources, false, false),
    );
    const needed = new Map(configs.results.map(({ resourceName, configs }) => [resourceName, configs[0]?.value]));
    return there.map((topic) => finding(topic, Number(needed.get(topic.name ?? '') ?? 1), brokers));
  };
  return retry(cluster, 'asking for the copies of topics', once, { stale: () => cluster.stale({ controller: true }) });
}

/** The brokers whose copies are not in step. */
function behindOf(partitions: Topic['partitions']): string {
  const brokers = partitions.flatMap(({ replicaNodes, isrNodes }) =>
    replicaNodes.filter((id) => !isrNodes.includes(id)),
  );
  return `broker ${[...new Set(brokers)].sort((a, b) => a - b).join(', ')}, or wait where it has just been started`;
}

function finding({ name, partitions }: Topic, needed: number, brokers: number): Finding {
  const check = `Copies of ${name}`;
  const copies = Math.min(...partitions.map(({ replicaNodes }) => replicaNodes.length));
  const list = (some: Topic['partitions']) => some.map(({ partitionIndex }) => partitionIndex).join(', ');
  const dead = partitions.filter(({ leaderId, isrNodes }) => leaderId < 0 || isrNodes.length === 0);
  if (dead.length > 0) {
    return { check, state: 'bad', found: `partitions ${list(dead)} have no leader; start the brokers that hold them` };
  }
  const short = partitions.filter(({ isrNodes }) => isrNodes.length < needed);
  if (short.length > 0) {
    const found = `partitions ${list(short)} have fewer copies in step than min.insync.replicas, ${needed}, and take no records`;
    return { check, state: 'bad', found: `${found}; start ${behindOf(short)}` };
  }
  const behind = partitions.filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length);
  if (behind.length > 0) {
    const found = `partitions ${list(behind)} have copies that are not in step; start ${behindOf(behind)}`;
    return { check, state: 'warn', found };
  }
  if (copies < Math.min(brokers, 2)) {
    const cure = 'add copies with kafka-reassign-partitions.sh';
    return { check, state: 'warn', found: `${copies}, on ${brokers} brokers: it is lost with its broker; ${cure}` };
  }
  if (copies > 1 && copies <= needed) {
    const found = `${copies} with min.insync.replicas ${needed}: no broker may be missing; set it to ${copies - 1}`;
    return { check, state: 'warn', found };
  }
  return { check, state: 'ok', found: `${copies}, all in step` };
}
