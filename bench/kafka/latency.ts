import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { newPlaces, type Series, type StreamsJob } from './measure.ts';
import { askPeer } from './peer.ts';
import { PARTITIONS } from './rows.ts';

/** Milliseconds from when a record was due to when a committed reader had what was made of it. */
export interface Latency {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** How much load, and for how long: first to warm up, then to be measured. */
export interface Load {
  /** Records a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmSeconds: number;
}

/** Records come at a fixed rate, whether they are taken or not. */
export async function measureLatency(
  series: Series,
  row: string,
  { rate, seconds, warmSeconds }: Load,
  start: (job: StreamsJob) => Child,
): Promise<Latency> {
  const { brokers } = series.broker;
  const places = newPlaces(row, 'live');
  const input = `${places.application}in`;
  const directory = join(series.folder, places.application);
  await askPeer('topics', { brokers, create: `${input},${places.out}`, partitions: PARTITIONS });
  const child = start({ brokers, directory, row, ...places, in: input, records: 0, warm: 0 });
  await child.next();
  const found = await askPeer<Latency>('live', {
    brokers,
    in: input,
    out: places.out,
    rate,
    seconds,
    warm: warmSeconds,
  });
  await child.end();
  await askPeer('topics', { brokers, delete: places.application });
  rmSync(directory, { recursive: true, force: true });
  return { rate, p50: found.p50, p99: found.p99 };
}
