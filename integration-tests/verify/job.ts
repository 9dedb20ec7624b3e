import { writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { defineJob } from './topology.ts';

/** The environment variable that names the run. */
export const RUN = 'VERIFY_RUN';
/** The environment variable that holds a {@link Block}, as JSON. */
export const BLOCK = 'VERIFY_BLOCK';

/** The first thread that runs tasks stands still for so long, or leaves, once, when it has done so many records. */
export interface Block {
  readonly afterRecords: number;
  readonly forMs: number | 'leaves';
}

const LEFT = 7;
const block = JSON.parse(process.env[BLOCK] ?? 'null') as Block | null;
const isFirstThread = threadId <= 1;
let records = 0;

function standStill(): void {
  if (block === null || !isFirstThread || ++records !== block.afterRecords) return;
  // past the streams of the process, which the thread would no longer serve
  writeSync(1, '{"event":"blocked"}\n');
  if (block.forMs === 'leaves') process.exit(LEFT);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block.forMs);
}

/** The job of this process, for it and its worker threads. */
export const { topology } = defineJob(process.env[RUN] ?? 'verify', standStill);
