import { hash } from 'node:crypto';
import { ByteWriter } from '../core/bytes.ts';
import { systemClock } from '../core/clock.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView } from '../log/batch.ts';
import { createFileLog } from '../log/file/file.ts';
import { type Log, partitionForKey } from '../log/log.ts';
import { DEFAULT_SETTINGS, resetApplication, startRun } from '../runtime/runtime.ts';
import type { Serde } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, silentTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Program } from '../topology/topology.ts';
import { AUCTIONS, auctionAvro, auctionKey, bidAvro, bidderKey, bidJson, makeBid, PARTITIONS } from './bids.ts';
import { runNaive } from './naive.ts';
import { ROWS, strangers } from './rows.ts';

/** Runs go before the one that counts until they have taken so many records. */
const WARM_RECORDS = 8_000_000;

/**
 * One measurement in a process of its own:
 *
 *     node bench/run-row.ts prepare <folder> <records>
 *     node bench/run-row.ts <engine|naive|engine-with-strangers|engine-measured|engine-unmeasured> <folder> <row>
 *
 * Answers one JSON line: records, CPU nanoseconds per record of the whole process of one run, after others that warm up
 * (user and system, all threads), wall time, and a digest of the output that does not depend on its order
 * between partitions.
 */
const [mode, folder, argument] = process.argv.slice(2) as [string, string, string];

async function openLog(): Promise<Log> {
  return createFileLog({ directory: `${folder}/log`, clock: systemClock });
}

/** Writes n records of one form into a topic, in batches of 256 KiB. */
async function fill<T>(
  log: Log,
  topic: string,
  count: number,
  make: (n: number) => { readonly key: string; readonly value: T; readonly timestamp: number },
  serde: Serde<T>,
): Promise<void> {
  await log.admin.create(topic, { partitions: PARTITIONS });
  const producer = await log.producer({});
  const builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(new Step()));
  const value = new ByteWriter();
  const flush = async (partition: number) => {
    const builder = builders[partition]!;
    if (builder.count > 0) await producer.append(topic, partition, builder.finish());
  };
  for (let n = 0; n < count; n++) {
    const each = make(n);
    const key = Buffer.from(each.key);
    value.clear();
    serde.encode(each.value, value);
    const partition = partitionForKey(key, 0, key.length, PARTITIONS);
    builders[partition]!.append(each.timestamp, key, 0, key.length, value.bytes, 0, value.at);
    if (builders[partition]!.size > 262_144) await flush(partition);
  }
  for (let partition = 0; partition < PARTITIONS; partition++) await flush(partition);
  await producer.close();
}

async function prepare(log: Log, count: number): Promise<void> {
  const bid = (key: (each: ReturnType<typeof makeBid>) => string) => (n: number) => {
    const value = makeBid(n);
    return { key: key(value), value, timestamp: value.time };
  };
  await fill(log, 'bids', count, bid(bidderKey), bidAvro);
  await fill(log, 'bids-by-auction', count, bid(auctionKey), bidAvro);
  await fill(log, 'bids-json', count, bid(bidderKey), bidJson);
  const auction = (n: number) => ({ key: `auction${n}`, value: { seller: n * 3, category: n % 10 }, timestamp: 0 });
  await fill(log, 'auctions', AUCTIONS, auction, auctionAvro);
}

/** Records and digest of a topic: the sum of hashes over records, so that order between partitions plays no part. */
async function digest(log: Log, topic: string): Promise<{ readonly records: number; readonly digest: string }> {
  let records = 0;
  let sum = 0n;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { start, stable } = await log.admin.bounds(topic, partition);
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic, partition, position: start }]);
    const view = new BatchView();
    for (let next = start; next < stable; ) {
      for (const fetched of await reader.fetch(100)) {
        fetched.starts.forEach((at, b) => {
          view.open(fetched.bytes, at, fetched.ends[b]!, fetched);
          for (let i = 0; i < view.count; i++) {
            // key, value and headers as they lie
            const body = hash('md5', view.bytes.subarray(view.bodyStarts[i]!, view.bodyEnds[i]!), 'buffer');
            sum += body.readBigUInt64BE(0) * BigInt(view.timestamps[i]! + 1);
            records++;
          }
        });
        next = fetched.next;
        fetched.release();
      }
    }
    await reader.close();
  }
  return { records, digest: (sum & 0xffffffffffffffffn).toString(16) };
}

/**
 * With `engine-measured` everything that an operator asks for, metrics read out every second; with
 * `engine-unmeasured` none of it.
 */
function telemetryOf(mode: string): Telemetry {
  if (mode === 'engine-unmeasured') return createTelemetry({ level: 'silent', metrics: false });
  if (mode !== 'engine-measured') return silentTelemetry();
  const telemetry = createTelemetry({ level: 'info', form: 'json', sink: { write: () => undefined } });
  const read = () => {
    telemetry.exposition();
    systemClock.after(1000, read);
  };
  systemClock.after(1000, read);
  return telemetry;
}

async function runEngine(log: Log, program: Program): Promise<number> {
  const directory = `${folder}/state`;
  await resetApplication({ plan: program.plan, log, directory, outputs: true });
  const backend = createStateBackend({});
  const run = await startRun({
    program,
    log,
    state: backend,
    directory,
    clock: systemClock,
    telemetry: telemetryOf(mode),
    settings: { ...DEFAULT_SETTINGS, until: 'end' },
  });
  const { records } = await run.finished;
  await backend.close();
  return records;
}

/** Runs the row once; the topics it writes are new each time. */
async function runRow(log: Log): Promise<number> {
  for (const topic of ['out', 'changelog']) {
    if ((await log.admin.describe(topic)) !== undefined) await log.admin.delete(topic);
    if (mode === 'naive') await log.admin.create(topic, { partitions: PARTITIONS });
  }
  const row = ROWS[argument]!;
  return mode === 'naive' ? runNaive(log, argument, row.inputs) : runEngine(log, row.program());
}

async function measure(log: Log): Promise<void> {
  if (mode === 'engine-with-strangers') for (const program of strangers()) await runEngine(log, program);
  for (let warmed = 0; warmed < WARM_RECORDS; ) warmed += await runRow(log);
  const before = process.cpuUsage();
  const start = performance.now();
  const records = await runRow(log);
  const used = process.cpuUsage(before);
  const wallMs = Math.round(performance.now() - start);
  const cpuNsPerRecord = Math.round(((used.user + used.system) * 1000) / records);
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    JSON.stringify({ mode, row: argument, records, cpuNsPerRecord, wallMs, peakMb, output: await digest(log, 'out') }),
  );
}

const log = await openLog();
if (mode === 'prepare') await prepare(log, Number(argument));
else await measure(log);
await log.close();
