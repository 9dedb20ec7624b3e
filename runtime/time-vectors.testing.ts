/**
 * The derived vectors on time, as they were read off Kafka Streams and Flink: what a task takes next, and what a valve of
 * watermarks lets through.
 */
export interface TimeVector {
  readonly id: string;
  readonly title: string;
  readonly config?: { readonly maxTaskIdleMs: number };
  readonly script: readonly TimeStep[];
}

export interface TimeStep {
  readonly add?: { readonly [partition: string]: readonly number[] };
  readonly lag?: { readonly [partition: string]: number };
  readonly ready?: boolean;
  readonly at?: number;
  readonly poll?: {
    readonly from: string;
    readonly ts: number;
    readonly streamTime?: number;
    readonly lateness?: number;
  };
  readonly enforced?: boolean;
  readonly committed?: { readonly [partition: string]: number };
  readonly streamTime?: number;
  readonly wm?: readonly [channel: number, at: number];
  readonly idle?: number;
  readonly active?: number;
  readonly out?: readonly (number | string)[];
}

export const TASK_TIME: readonly TimeVector[] = [
  {
    id: 'pg-order',
    title:
      'the task takes the head record with the smallest timestamp; stream time never goes back; lateness = stream time - record time',
    script: [
      { add: { P1: [1, 3, 5] } },
      { add: { P2: [2, 4, 6] } },
      { poll: { from: 'P1', ts: 1, streamTime: 1, lateness: 0 } },
      { poll: { from: 'P2', ts: 2, streamTime: 2, lateness: 0 } },
      { add: { P1: [2, 4] } },
      { poll: { from: 'P1', ts: 3, streamTime: 3, lateness: 0 } },
      { poll: { from: 'P2', ts: 4, streamTime: 4, lateness: 0 } },
      { poll: { from: 'P1', ts: 5, streamTime: 5, lateness: 0 } },
      { poll: { from: 'P1', ts: 2, streamTime: 5, lateness: 3 } },
      { poll: { from: 'P1', ts: 4, streamTime: 5, lateness: 1 } },
      { poll: { from: 'P2', ts: 6, streamTime: 6, lateness: 0 } },
    ],
  },
  {
    id: 'pg-head-only',
    title: 'only HEAD timestamps are compared: an early record hidden behind a later head waits its turn',
    script: [
      { add: { P1: [10, 1] } },
      { add: { P2: [5, 6] } },
      { poll: { from: 'P2', ts: 5, streamTime: 5 } },
      { poll: { from: 'P2', ts: 6, streamTime: 6 } },
      { poll: { from: 'P1', ts: 10, streamTime: 10 } },
      { poll: { from: 'P1', ts: 1, streamTime: 10, lateness: 9 } },
    ],
  },
  {
    id: 'pg-idle-disabled',
    title: 'max.task.idle.ms = -1: process whatever is buffered, order across partitions is best effort',
    config: { maxTaskIdleMs: -1 },
    script: [{ add: { P1: [10] } }, { lag: { P2: 5 } }, { ready: true, at: 0 }],
  },
  {
    id: 'pg-idle-lag',
    title:
      'max.task.idle.ms = 0 (default): an empty partition with known non-zero lag blocks the task until its data is fetched, with no time limit',
    config: { maxTaskIdleMs: 0 },
    script: [
      { add: { P1: [10] } },
      { lag: { P2: 5 } },
      { ready: false, at: 0 },
      { ready: false, at: 1000000 },
      { add: { P2: [3] } },
      { ready: true, at: 1000001 },
      { poll: { from: 'P2', ts: 3 } },
      { lag: { P2: 0 } },
      { ready: true, at: 1000002 },
    ],
  },
  {
    id: 'pg-idle-unknown',
    title: 'an empty partition whose lag is not yet known also blocks',
    config: { maxTaskIdleMs: 0 },
    script: [{ add: { P1: [10] } }, { ready: false, at: 0 }],
  },
  {
    id: 'pg-idle-zero-lag',
    title:
      'lag 0: wait max.task.idle.ms of wall clock, then go on (counted as enforced processing); data on any partition resets its own timer only',
    config: { maxTaskIdleMs: 1 },
    script: [
      { add: { P1: [10] } },
      { lag: { P2: 0 } },
      { ready: false, at: 0 },
      { ready: true, at: 1, enforced: true },
      { ready: true, at: 2, enforced: true },
    ],
  },
  {
    id: 'pg-restore-time',
    title:
      'partition time comes back from the committed offset metadata: after a restart with committed partition times P1=50 and P2=30 the task stream time starts at 50',
    script: [
      { committed: { P1: 50, P2: 30 } },
      { streamTime: 50 },
      { add: { P1: [20] } },
      { add: { P2: [40] } },
      { poll: { from: 'P1', ts: 20, streamTime: 50, lateness: 30 } },
    ],
  },
];
export const WATERMARK_VALVE: readonly TimeVector[] = [
  {
    id: 'fv-1',
    title: 'combined watermark is the minimum over channels and emitted only when it grows',
    script: [
      { wm: [0, 10], out: [] },
      { wm: [1, 5], out: [5] },
      { wm: [1, 20], out: [10] },
      { wm: [0, 15], out: [15] },
    ],
  },
  {
    id: 'fv-2',
    title: 'an idle channel no longer holds the minimum back',
    script: [
      { wm: [0, 10], out: [] },
      { idle: 1, out: [10] },
      { wm: [0, 12], out: [12] },
    ],
  },
  {
    id: 'fv-3',
    title: 'a channel that wakes up behind the output does not pull it back; it counts again once it has caught up',
    script: [
      { wm: [0, 10], out: [] },
      { idle: 1, out: [10] },
      { active: 1, out: [] },
      { wm: [1, 7], out: [] },
      { wm: [0, 12], out: [12] },
      { wm: [1, 15], out: [] },
      { wm: [0, 20], out: [15] },
    ],
  },
  {
    id: 'fv-4',
    title: 'all idle, the last one to go holds the minimum: flush the maximum, then report idle',
    script: [
      { wm: [0, 10], out: [] },
      { wm: [1, 5], out: [5] },
      { idle: 0, out: [] },
      { idle: 1, out: [10, 'IDLE'] },
    ],
  },
  {
    id: 'fv-5',
    title: 'all idle, the other order',
    script: [
      { wm: [0, 10], out: [] },
      { wm: [1, 5], out: [5] },
      { idle: 1, out: [10] },
      { idle: 0, out: ['IDLE'] },
    ],
  },
  {
    id: 'fv-6',
    title: 'watermarks on an idle channel are ignored until it is active',
    script: [
      { idle: 0, out: [] },
      { wm: [0, 50], out: [] },
      { wm: [1, 5], out: [5] },
    ],
  },
  {
    id: 'fv-7',
    title: 'a regressing watermark is ignored',
    script: [
      { wm: [0, 10], out: [] },
      { wm: [1, 10], out: [10] },
      { wm: [0, 5], out: [] },
      { wm: [1, 12], out: [] },
    ],
  },
  {
    id: 'fv-8',
    title: 'after all idle, the first active channel makes the operator active again',
    script: [
      { idle: 0, out: [] },
      { idle: 1, out: ['IDLE'] },
      { active: 0, out: ['ACTIVE'] },
      { wm: [0, 3], out: [3] },
    ],
  },
];
