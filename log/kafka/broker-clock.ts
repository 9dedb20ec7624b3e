import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Finding } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { failureFrom } from './failures.ts';
import { retry } from './retry.ts';

/** Clocks that are further apart are wrong somewhere: brokers refuse records of an hour ahead, and less by settings. */
const MOST_SKEW_MS: Millis = 10_000;
const QUORUM_TOPIC = '__cluster_metadata';
/** Whoever starts to work waits no longer for a controller that does not answer. */
const CHECK_MS: Millis = 500;

interface Skew {
  readonly controller: number;
  /** How far its clock is ahead of ours, below zero behind; `undefined` where it does not tell its time. */
  readonly ms: Millis | undefined;
}

/** The clock of the leading controller beside ours, as a check among others. */
export async function clockFinding(cluster: Cluster): Promise<Finding> {
  const check = 'Clock';
  const unknown = (reason: string): Finding => ({ check, state: 'ok', found: `not compared: ${reason}` });
  try {
    const skew = await retry(cluster, 'asking for the quorum', () => skewOf(cluster));
    if (skew.ms === undefined) return unknown('the controller does not tell its time');
    const apart = apartness(skew);
    if (apart !== undefined) return { check, state: 'bad', found: apart };
    const found = `that of controller ${skew.controller} is within ${MOST_SKEW_MS / 1000} s of ours`;
    return { check, state: 'ok', found };
  } catch (thrown) {
    if (isFlowError(thrown, 'kafka.rights')) return unknown('that needs the right to Describe the cluster');
    if (isFlowError(thrown)) return unknown(thrown.message);
    throw thrown;
  }
}

/** Fails with `kafka.clock` where the clocks are too far apart; passes where that cannot be told, or not at once. */
export async function checkClock(cluster: Cluster): Promise<void> {
  const answered = new AbortController();
  // what does not answer now tells nothing; whatever is not a failure of the cluster's is thrown on
  const asked = skewOf(cluster).catch((thrown: unknown) => void failureFrom(thrown, 'asking for the quorum'));
  const late = cluster.clock.sleep(CHECK_MS, answered.signal).then(() => undefined);
  const skew = await Promise.race([asked, late]).finally(() => answered.abort());
  const apart = skew === undefined ? undefined : apartness(skew);
  if (apart !== undefined) throw new FlowError('kafka.clock', `the clocks are too far apart: ${apart}`);
}

function apartness({ controller, ms = 0 }: Skew): string | undefined {
  if (Math.abs(ms) <= MOST_SKEW_MS) return undefined;
  const apart = `that of controller ${controller} is ${Math.abs(ms)} ms ${ms > 0 ? 'ahead of' : 'behind'} ours`;
  return `${apart}; set both by NTP: brokers may refuse our records, or delete them too early or too late`;
}

/** The leading controller tells the time in what it says of the quorum. */
async function skewOf(cluster: Cluster): Promise<Skew> {
  const { clock } = cluster;
  const { describeQuorumV2, describeQuorumV1 } = cluster.library;
  const broker = await cluster.controller();
  const request = [{ topicName: QUORUM_TOPIC, partitions: [{ partitionIndex: 0 }] }];
  const ask = () =>
    cluster.call(broker, 'admin', (connection, versions) =>
      versions.choose('DescribeQuorum', describeQuorumV2.api, describeQuorumV1.api).async(connection, request),
    );
  // the first one may open a connection
  await ask();
  const sent = clock.now();
  const answer = await ask();
  const here = (sent + clock.now()) / 2;
  const { leaderId, currentVoters } = answer.topics[0]!.partitions[0]!;
  const there = Number(currentVoters.find(({ replicaId }) => replicaId === leaderId)?.lastCaughtUpTimestamp ?? -1);
  return { controller: leaderId, ms: there <= 0 ? undefined : Math.round(there - here) };
}
