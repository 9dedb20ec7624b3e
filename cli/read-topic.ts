import type { Millis, Position } from '../core/ids.ts';
import { BatchView, readHeaders } from '../log/batch.ts';
import type { Fetched, Log } from '../log/log.ts';

export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position;
  readonly timestamp: Millis;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** By name; the last of equal names. */
  readonly headers: { readonly [name: string]: string };
}

export interface ReadTopic {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly from: 'start' | 'end' | Position | { readonly since: Millis };
  /** Goes on behind the present end, until `stop`. */
  readonly follow: boolean;
  readonly stop: AbortSignal;
}

const WAIT_MS = 200;

/** Hands every committed record to `visit`, in order per partition, until that answers false or the end is reached. */
export async function readTopic(log: Log, options: ReadTopic, visit: (record: ReadRecord) => boolean): Promise<void> {
  const { topic, follow, stop } = options;
  const open = new Map<number, Position>();
  const reader = log.reader({ isolation: 'committed' });
  const since = (partition: number, time: { readonly since: Millis }) =>
    log.admin.positionSince(topic, partition, time.since);
  for (const partition of options.partitions) {
    const { start, stable } = await log.admin.bounds(topic, partition);
    const { from } = options;
    const wanted =
      from === 'start'
        ? start
        : from === 'end'
          ? stable
          : typeof from === 'number'
            ? from
            : await since(partition, from);
    const position = Math.max(start, wanted);
    if (!follow && position >= stable) continue;
    open.set(partition, follow ? Infinity : stable);
    reader.assign([{ topic, partition, position }]);
  }
  const view = new BatchView();
  try {
    while (open.size > 0 && !stop.aborted) {
      for (const fetched of await reader.fetch(WAIT_MS, stop)) {
        const end = open.get(fetched.partition) ?? 0;
        const goesOn = visitBatches(view, fetched, end, visit);
        if (!goesOn) return;
        if (fetched.next >= end) {
          open.delete(fetched.partition);
          reader.unassign([{ topic, partition: fetched.partition }]);
        }
      }
    }
  } finally {
    await reader.close();
  }
}

function visitBatches(
  view: BatchView,
  fetched: Fetched,
  end: Position,
  visit: (record: ReadRecord) => boolean,
): boolean {
  const { topic, partition } = fetched;
  try {
    for (let b = 0; b < fetched.starts.length; b++) {
      view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
      for (let i = 0; i < view.count; i++) {
        const position = view.positions[i]!;
        if (position < fetched.position) continue;
        if (position >= end) return true;
        const record = { topic, partition, position, timestamp: view.timestamps[i]! };
        const key = part(view, view.keyStarts[i]!, view.keyEnds[i]!);
        const value = part(view, view.valueStarts[i]!, view.valueEnds[i]!);
        if (!visit({ ...record, key, value, headers: headersOf(view, i) })) return false;
      }
    }
    return true;
  } finally {
    fetched.release();
  }
}

function part(view: BatchView, start: number, end: number): Buffer | null {
  return start < 0 ? null : Buffer.from(view.bytes.subarray(start, end));
}

function headersOf(view: BatchView, i: number): ReadRecord['headers'] {
  const pairs = readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!);
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value === null ? '' : value.toString()]));
}
