import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { forgetStores } from '../runtime/slot.ts';
import { startBroker } from './kafka/broker.ts';
import { Child } from './kafka/child.ts';
import { buildPeer, startPeer } from './kafka/peer.ts';
import type { Restarted, RestartJob } from './restart/engine-main.ts';
import { load } from './restart/load.ts';

/**
 * How soon a process goes on that is started again: with its stores and its place in the group, and without its stores,
 * which come back from the changelog; beside Kafka Streams with a changelog of its own, of as many keys.
 *
 *     npm run bench:restart [-- --keys 100000,1000000 --runs 3 --no-peer --json]
 *
 * Needs Java 17, Maven and Linux. A process counts as a member from its first assignment on.
 */
const options = commandOptions(import.meta.filename, {
  keys: { type: 'string', default: '100000,1000000' },
  runs: { type: 'string', default: '3' },
  peer: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
});

/** Records that wait for whoever is started again. */
const WAITING = 100;
const SETTINGS = {
  'set.processing.guarantee': 'exactly_once_v2',
  'set.commit.interval.ms': 100,
  'set.group.instance.id': 'bench',
  'set.restore.consumer.max.poll.records': 10_000,
  'set.restore.consumer.max.partition.fetch.bytes': 4 * 1024 * 1024,
};
const JAVA = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC'];

interface Row {
  readonly side: 'engine' | 'Kafka Streams';
  readonly keys: number;
  readonly kind: 'warm' | 'cold';
  readonly run: number;
  readonly told: Restarted;
}

type Start = (records: number) => Child;

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-restart-'));
const rows: Row[] = [];
const whole = (value: number) => Math.round(value).toLocaleString('en-US');

function say({ side, keys, kind, run, told }: Row): void {
  const { joinMs, readyMs, firstMs, startToFirstMs, restored, cpuSeconds, peakMb } = told;
  if (options.json) {
    console.log(JSON.stringify({ row: `${kind} ${keys}`, side, keys, kind, run, ...told }));
    return;
  }
  const rate = restored > 0 ? `, ${whole(restored / (readyMs / 1000))} records/s` : '';
  console.log(
    `${side}, ${whole(keys)} keys, ${kind}: first record ${whole(firstMs)} ms behind membership, ` +
      `${whole(startToFirstMs)} behind the start (join ${whole(joinMs)}); all tasks ran after ${whole(readyMs)} ms, ` +
      `${whole(restored)} records restored${rate}, ${cpuSeconds.toFixed(2)} s of CPU, peak ${peakMb} MB`,
  );
}

/** Starts a side again and again, warm and cold; `forget` takes its stores away. */
async function measure(side: Row['side'], keys: number, input: string, start: Start, forget: () => Promise<void>) {
  const until = async (records: number) => {
    const child = start(records);
    const told = await child.next<Restarted>();
    await child.end();
    return told;
  };
  await until(keys);
  for (let run = 1; run <= Number(options.runs); run++) {
    for (const kind of ['warm', 'cold'] as const) {
      await load(broker.brokers, input, 0, WAITING);
      if (kind === 'cold') await forget();
      const row = { side, keys, kind, run, told: await until(1) };
      rows.push(row);
      say(row);
    }
  }
}

const broker = startBroker(folder);
try {
  if (options.peer) buildPeer();
  const { brokers } = broker;
  for (const keys of options.keys.split(',').map(Number)) {
    const name = (side: string) => `restart-${side}-${keys}`;
    const ours = { application: name('engine'), in: name('in'), out: name('engine-out') };
    await load(brokers, ours.in, 0, keys);
    const directory = join(folder, name('engine'));
    const startEngine = (records: number) => {
      const job: RestartJob = { ...ours, brokers, directory, records };
      return new Child(process.execPath, [join(import.meta.dirname, 'restart', 'engine-main.ts'), JSON.stringify(job)]);
    };
    await measure('engine', keys, ours.in, startEngine, () => forgetStores(join(directory, 'state'), ours.application));
    if (!options.peer) continue;
    const theirs = { application: name('streams'), in: name('streams-in'), out: name('streams-out') };
    await load(brokers, theirs.in, 0, keys);
    await load(brokers, theirs.out, 0, 0);
    const state = join(folder, name('streams'));
    const startStreams = (records: number) =>
      startPeer('restart', { ...theirs, brokers, state, records, ...SETTINGS }, JAVA);
    await measure('Kafka Streams', keys, theirs.in, startStreams, async () =>
      rmSync(state, { recursive: true, force: true }),
    );
  }
} finally {
  broker.stop();
  rmSync(folder, { recursive: true, force: true });
}
