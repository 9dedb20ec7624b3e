import { isTimeRecord } from '../checkpoints/checkpoints.ts';
import { type BatchView, readPlain } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { eachRecord } from './each-record.ts';

/**
 * The records of a partition as text, but for what tasks tell of their time. Positions in headers are left out, since
 * commits take positions too, and when it was.
 */
export async function readRaw(log: Log, topic: string, partition: number): Promise<string[]> {
  const lines: string[] = [];
  await eachRecord(log, topic, partition, (view, i) => {
    if (!isTimeRecord(view, i)) lines.push(lineOf(view, i));
  });
  return lines;
}

function lineOf(view: BatchView, i: number): string {
  const { timestamp, key, value, headers } = readPlain(view, i);
  const told = headers
    .filter(({ name }) => name !== 'nf.position' && name !== 'nf.at')
    .map(({ name, value }) => `${name}=${String(value)}`);
  return JSON.stringify([timestamp, textOf(key), textOf(value), ...told]);
}

function textOf(bytes: Buffer | null): string {
  return bytes === null ? 'null' : bytes.toString('latin1');
}
