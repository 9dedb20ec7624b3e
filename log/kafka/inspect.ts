import { messageOf } from '../../core/errors.ts';
import type { Finding } from '../log.ts';
import { clockFinding } from './broker-clock.ts';
import type { Cluster } from './cluster.ts';
import { failureFrom } from './failures.ts';
import { inspectCopies } from './inspect-copies.ts';
import type { SaslOptions } from './options.ts';

/** What the cluster's feature is at least where all brokers are of Kafka 3.7 or newer. */
const METADATA_OF_37 = 15;
/** The repaired protocol of transactions (KIP-890). */
const REPAIRED = 2;

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
