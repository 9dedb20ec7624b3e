import { isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Finding } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { failureFrom } from './failures.ts';
import { inspectCopies } from './inspect-copies.ts';
import type { SaslOptions } from './options.ts';
import { retry } from './retry.ts';

/** What the cluster's feature is at least where all brokers are of Kafka 3.7 or newer. */
const METADATA_OF_37 = 15;
/** The repaired protocol of transactions (KIP-890). */
const REPAIRED = 2;
/** Clocks that are further apart are wrong somewhere: brokers refuse records of an hour ahead, and less by settings. */
const MOST_SKEW_MS: Millis = 10_000;
const QUORUM_TOPIC = '__cluster_metadata';

export interface Reached {
  readonly tls: boolean;
  readonly mechanism: SaslOptions['mechanism'] | undefined;
}

/** What whoever keeps a cluster running should know; nothing is written. */
export async function inspectCluster(
  cluster: Cluster,
  security: Reached,
  topics: readonly string[],
): Promise<readonly Finding[]> {
  return [
    securityFinding(security),
    ...(await brokerFindings(cluster)),
    await clockFinding(cluster),
    ...(await inspectCopies(cluster, topics)),
  ];
}

function securityFinding({ tls, mechanism }: Reached): Finding {
  const ways = [tls ? 'encrypted (TLS)' : 'not encrypted', mechanism === undefined ? 'no sign-in' : mechanism];
  const open = !tls && mechanism === 'PLAIN';
  const found = ways.join(', ');
  return {
    check: 'Security',
    state: open ? 'warn' : 'ok',
    found: open ? `${found}: the password crosses the network as it is; use a listener with TLS, or SCRAM` : found,
  };
}

async function brokerFindings(cluster: Cluster): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const levels = new Map<string, number>();
  const ids = (await cluster.brokers()).toSorted((a, b) => a - b);
  for (const id of ids) {
    const check = `Broker ${id}`;
    try {
      const versions = await cluster.versions(id);
      for (const name of ['metadata.version', 'transaction.version']) levels.set(name, versions.feature(name));
      findings.push({ check, state: 'ok', found: `answers at ${versions.broker}` });
    } catch (thrown) {
      const found = `${messageOf(failureFrom(thrown, check))}; start it, or check the address that it advertises`;
      findings.push({ check, state: 'bad', found });
    }
  }
  const metadata = levels.get('metadata.version') ?? 0;
  const isOld = metadata < METADATA_OF_37;
  findings.push({
    check: 'Versions',
    state: isOld ? 'bad' : 'ok',
    found: `metadata.version ${metadata}${isOld ? ': older than Kafka 3.7; upgrade the brokers, then kafka-features.sh upgrade' : ''}`,
  });
  const transaction = levels.get('transaction.version') ?? 0;
  const isRepaired = transaction >= REPAIRED;
  findings.push({
    check: 'Transactions',
    state: isRepaired ? 'ok' : 'warn',
    found: isRepaired
      ? `transaction.version ${transaction}`
      : `transaction.version ${transaction}: a late request may reach a transaction that is not its own; with brokers of ` +
        'Kafka 4.0, kafka-features.sh upgrade --feature transaction.version=2',
  });
  const copies = cluster.replication;
  const most = ids.length;
  findings.push(
    copies > most
      ? {
          check: 'Copies',
          state: 'bad',
          found: `kafka.replication is ${copies} where there are ${most} brokers; add brokers, or ask for fewer copies`,
        }
      : {
          check: 'Copies',
          state: 'ok',
          found: `topics that we make get ${copies < 0 ? 'what the brokers say' : copies} of each partition, on ${most} brokers`,
        },
  );
  return findings;
}

/** The clock of the leading controller, which tells the time in what it says of the quorum. */
async function clockFinding(cluster: Cluster): Promise<Finding> {
  const check = 'Clock';
  const unknown = (reason: string): Finding => ({ check, state: 'ok', found: `not compared: ${reason}` });
  const { describeQuorumV2, describeQuorumV1 } = cluster.library;
  try {
    const controller = await cluster.controller();
    const request = [{ topicName: QUORUM_TOPIC, partitions: [{ partitionIndex: 0 }] }];
    const ask = () =>
      cluster.call(controller, 'admin', (connection, versions) =>
        versions.choose('DescribeQuorum', describeQuorumV2.api, describeQuorumV1.api).async(connection, request),
      );
    const once = async () => {
      await ask();
      const sent = cluster.clock.now();
      const answer = await ask();
      return { answer, here: (sent + cluster.clock.now()) / 2 };
    };
    const { answer, here } = await retry(cluster, 'asking for the quorum', once);
    const { leaderId, currentVoters } = answer.topics[0]!.partitions[0]!;
    const there = Number(currentVoters.find(({ replicaId }) => replicaId === leaderId)?.lastCaughtUpTimestamp ?? -1);
    if (there <= 0) return unknown('the controller does not tell its time');
    const skewMs = Math.round(there - here);
    if (Math.abs(skewMs) <= MOST_SKEW_MS) {
      return { check, state: 'ok', found: `that of controller ${leaderId} is within ${MOST_SKEW_MS / 1000} s of ours` };
    }
    const apart = `that of controller ${leaderId} is ${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead of' : 'behind'} ours`;
    const cure = 'set both by NTP: brokers may refuse our records, or delete them too early or too late';
    return { check, state: 'bad', found: `${apart}; ${cure}` };
  } catch (thrown) {
    if (isFlowError(thrown, 'kafka.rights')) return unknown('that needs the right to Describe the cluster');
    if (isFlowError(thrown)) return unknown(thrown.message);
    throw thrown;
  }
}
