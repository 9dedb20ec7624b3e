import { BatchView } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { readTopic } from '../../runtime/runtime.ts';
import type { InputRecord } from './input.ts';
import { chainEntry, copyEntry, type Entry, joinedEntry, type Results, regroupedEntry, windowEntry } from './oracle.ts';
import { type Job, PARTITIONS } from './topology.ts';

/** The input as it stands in the log. */
export async function readInput(log: Log, { topics }: Job): Promise<readonly InputRecord[]> {
  const records: InputRecord[] = [];
  await readTopic(log, topics.input, (value, key, { partition, timestamp: at }) => {
    const { id, group, amount } = value!;
    records.push({ partition, key, id, group, amount, at });
  });
  return records;
}

/** What committed readers see of the outputs, and how far the positions of the job are. */
export async function readResults(log: Log, job: Job): Promise<Results> {
  const { copy, chain, windows, joined, regrouped } = job.topics;
  const outputs = { copy: [], chain: [], windows: [], joined: [], regrouped: [] } as Record<string, Entry[]>;
  const add = (name: string, entry: Entry) => outputs[name]!.push(entry);
  await readTopic(log, copy, (value, key, { partition }) =>
    add('copy', copyEntry(partition, key, value!.id, value!.group, value!.amount)),
  );
  await readTopic(log, chain, (value, key, { partition }) =>
    add('chain', chainEntry(partition, key, value!.id, value!.count, value!.hash)),
  );
  await readTopic(log, windows, (value, key, { partition }) =>
    add('windows', windowEntry(partition, key.key, key.start, value!)),
  );
  await readTopic(log, joined, (value, key, { partition }) =>
    add('joined', joinedEntry(partition, key, value!.id, value!.product)),
  );
  await readTopic(log, regrouped, (value, key, { partition }) =>
    add('regrouped', regroupedEntry(partition, key, value!.id, value!.count)),
  );
  return { outputs: outputs as unknown as Results['outputs'], positions: await recordsBehind(log, job) };
}

const partitionsOf = (topic: { name: string; partitions: number }) =>
  Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition }));

/** Records of the input that lie before the committed positions, by partition. */
async function recordsBehind(log: Log, { name, topics }: Job): Promise<readonly number[]> {
  const committed = await log.committed(name, partitionsOf(topics.input));
  const counts = new Array<number>(PARTITIONS).fill(0);
  await readTopic(log, topics.input, (_, __, { partition, position }) => {
    if (position < (committed[partition]?.position ?? 0)) counts[partition]!++;
  });
  return counts;
}

/** Whether the job has taken all there is and every transaction is decided: stable ends are ends. */
export async function isSettled(log: Log, job: Job): Promise<boolean> {
  const { input, table, copy, chain, windows, joined, regrouped } = job.topics;
  const inputs = [...partitionsOf(input), ...partitionsOf(table)];
  const inner = (await log.admin.list()).filter((name) => name.startsWith(`nf.${job.name}.`));
  for (const name of inner.filter((each) => each.endsWith('.repartition'))) {
    const { settings } = (await log.admin.describe(name))!;
    inputs.push(...partitionsOf({ name, partitions: settings.partitions }));
  }
  const committed = await log.committed(job.name, inputs);
  for (const [i, { topic, partition }] of inputs.entries()) {
    const { start, stable, end } = await log.admin.bounds(topic, partition);
    if (stable !== end) return false;
    if (end > start && !(await isAtEnd(log, topic, partition, committed[i]?.position ?? 0, end))) return false;
  }
  for (const topic of [copy, chain, windows, joined, regrouped]) {
    for (const { partition } of partitionsOf(topic)) {
      const { stable, end } = await log.admin.bounds(topic.name, partition);
      if (stable !== end) return false;
    }
  }
  return true;
}

/** Behind the position there are no records, at most the marks that transactions leave. */
async function isAtEnd(log: Log, topic: string, partition: number, position: number, end: number): Promise<boolean> {
  if (position >= end) return true;
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic, partition, position }]);
    for (let next = position; next < end; ) {
      for (const fetched of await reader.fetch(100)) {
        next = fetched.next;
        const hasRecords = fetched.starts.length > 0;
        fetched.release();
        if (hasRecords) return false;
      }
    }
    return true;
  } finally {
    await reader.close();
  }
}

/** Records of the outputs that stand in the log but in no committed transaction. */
export async function countAborted(log: Log, job: Job): Promise<number> {
  const { copy, chain, windows, joined, regrouped } = job.topics;
  let aborted = 0;
  for (const topic of [copy, chain, windows, joined, regrouped]) {
    for (const { partition } of partitionsOf(topic)) {
      const all = await countRecords(log, topic.name, partition, 'uncommitted');
      aborted += all - (await countRecords(log, topic.name, partition, 'committed'));
    }
  }
  return aborted;
}

async function countRecords(
  log: Log,
  topic: string,
  partition: number,
  isolation: 'committed' | 'uncommitted',
): Promise<number> {
  const reader = log.reader({ isolation });
  const view = new BatchView();
  const { start, stable } = await log.admin.bounds(topic, partition);
  reader.assign([{ topic, partition, position: start }]);
  let records = 0;
  for (let next = start; next < stable; ) {
    for (const fetched of await reader.fetch(100)) {
      for (const [b, at] of fetched.starts.entries()) {
        view.open(fetched.bytes, at, fetched.ends[b]!, fetched);
        records += view.count;
      }
      next = fetched.next;
      fetched.release();
    }
  }
  await reader.close();
  return records;
}
