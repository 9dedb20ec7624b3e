import { systemClock } from '../../../core/clock.ts';
import type { Json } from '../../../core/ids.ts';
import type { Log } from '../../../log/log.ts';
import { eachRecord } from '../../../runtime/runtime.ts';
import { json, string } from '../../../schemas/schemas.ts';
import { documentOf } from '../../../workflows/segments/jobs.fixture.ts';
import { type OneRecord, putRecords } from '../../../workflows/segments/put-record.ts';

/** What the stream does: some records pass as they are, and all of them are summed up by a key behind a repartition. */
export const STREAM = documentOf(
  [
    ['orders', 'source.topic', { topic: 'orders', partitions: 1 }],
    ['some', 'op.filter', { where: 'value.n % 3 != 0' }],
    ['kept', 'sink.topic', { topic: 'kept' }],
    ['by', 'op.select-key', { key: 'string(value.n % 7)', partitions: 3 }],
    ['sums', 'op.aggregate', { function: 'sum', of: 'value.n' }],
    ['totals', 'sink.topic', { topic: 'totals' }],
  ],
  ['orders > some', 'some > kept', 'orders > by', 'by > sums', 'sums > totals'],
);

const ORDERS = { name: 'orders', partitions: 1, key: string(), value: json() };
/** Parts that the input comes in, and how long it rests between them. */
const PARTS = 50;
const REST_MS = 15;

/** The topic that is read has to be there before it is. */
export async function prepare(log: Log): Promise<void> {
  const { name, partitions } = ORDERS;
  if ((await log.admin.describe(name)) === undefined) await log.admin.create(name, { partitions });
}

/** Lets the input come, but for the parts that are there: each is there whole, or not at all. */
export async function feed(log: Log, count: number): Promise<void> {
  const part = Math.ceil(count / PARTS);
  const there = new Set<number>();
  await valuesOf(log, ORDERS.name, (_, value) => there.add(Math.floor((value as { readonly n: number }).n / part)));
  for (let from = 0; from < count; from += part) {
    if (there.has(from / part)) continue;
    const records = Array.from({ length: Math.min(part, count - from) }, (_, i): OneRecord => {
      const n = from + i;
      return { key: `k${n % 997}`, value: { n }, timestamp: n };
    });
    await putRecords(log, ORDERS, records);
    await systemClock.sleep(REST_MS);
  }
}

/** What is wrong with the outputs, held against a plain count over what went in; empty where nothing is. */
export async function wrong(log: Log, count: number): Promise<readonly string[]> {
  const faults: string[] = [];
  const times = new Uint8Array(count);
  await valuesOf(log, 'kept', (_, value) => times[(value as { readonly n: number }).n]!++);
  const sums = Array.from({ length: 7 }, () => 0);
  let [lost, twice, extra] = [0, 0, 0];
  for (let n = 0; n < count; n++) {
    sums[n % 7]! += n;
    const due = n % 3 === 0 ? 0 : 1;
    if (times[n]! < due) lost++;
    else if (due === 1 && times[n]! > 1) twice++;
    else if (times[n]! > due) extra++;
  }
  if (lost + twice + extra > 0)
    faults.push(`of ${count} records ${lost} are lost, ${twice} there twice, ${extra} wrong`);
  const totals = new Map<string, Json>();
  await valuesOf(log, 'totals', (key, value) => totals.set(key, value));
  for (const [key, sum] of sums.entries()) {
    if (totals.get(`${key}`) !== sum) faults.push(`the sum of ${key} is ${totals.get(`${key}`)}, and not ${sum}`);
  }
  return faults;
}

/** How many records have passed so far. */
export async function passedIn(log: Log): Promise<number> {
  if ((await log.admin.describe('kept')) === undefined) return 0;
  let passed = 0;
  await valuesOf(log, 'kept', () => passed++);
  return passed;
}

export async function endOfKept(log: Log): Promise<number> {
  return (await log.admin.describe('kept')) === undefined ? 0 : (await log.admin.bounds('kept', 0)).end;
}

/** Whether a commit has let records out from a position on. */
export async function hasPassed(log: Log, from: number): Promise<boolean> {
  if ((await log.admin.describe('kept')) === undefined) return false;
  let passed = false;
  const see = () => {
    passed = true;
  };
  await eachRecord(log, 'kept', 0, see, from);
  return passed;
}

async function valuesOf(log: Log, topic: string, take: (key: string, value: Json) => void): Promise<void> {
  const { partitions } = (await log.admin.describe(topic))!.settings;
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(log, topic, partition, (batch, i) => {
      const key = batch.bytes.toString('utf8', batch.keyStarts[i]!, batch.keyEnds[i]!);
      take(key, JSON.parse(batch.bytes.toString('utf8', batch.valueStarts[i]!, batch.valueEnds[i]!)) as Json);
    });
  }
}
