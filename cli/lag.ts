import { isFlowError } from '../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Fetched, GroupDescription, Log, PartitionBounds } from '../log/log.ts';

/** How far a group is behind in one partition. Times are those of records. */
export interface PartitionLag extends TopicPartition {
  readonly position: Position;
  /** Where a committed reader ends; `null` where the topic or the partition is gone. */
  readonly end: Position | null;
  /** Positions not read yet; those of markers count too. */
  readonly lag: Position | null;
  /** Time of the first record not read yet; `null` where all are read. */
  readonly next: Millis | null;
  /** Time of the newest record, where some are not read yet. */
  readonly newest: Millis | null;
  /** From the one to the other. */
  readonly lagMs: Millis;
  /** How long ago the first record not read was. */
  readonly ageMs: Millis | null;
}

/** So many fetches without anything end the search for a record. */
const MOST_EMPTY = 25;
const WAIT_MS: Millis = 200;
/** How far from the end the newest record is looked for; behind it lie markers and aborted records only. */
const LONGEST_BACK = 4096;

/** How far a group is behind, in the order of its positions. Reads one record or two of each partition it is behind in. */
export async function lagOf(
  log: Log,
  positions: GroupDescription['positions'],
  now: Millis,
): Promise<readonly PartitionLag[]> {
  const bounds = await Promise.all(positions.map((place) => boundsOf(log, place)));
  const behind = positions.flatMap(({ topic, partition, position }, i) => {
    const { start, stable } = bounds[i] ?? { start: 0, stable: 0 };
    const from = Math.max(position, start);
    return from < stable ? [{ topic, partition, from, end: stable }] : [];
  });
  const first = await timesOf(log, behind, (times) => times[0]);
  const last = new Map<string, Millis>();
  for (let back = 1; back <= LONGEST_BACK; back *= 8) {
    const open = behind.filter((span) => first.has(nameOf(span)) && !last.has(nameOf(span)));
    if (open.length === 0) break;
    const spans = open.map((span) => ({ ...span, from: Math.max(span.from, span.end - back) }));
    for (const [name, time] of await timesOf(log, spans, (times) => times.at(-1))) last.set(name, time);
  }
  return positions.map(({ topic, partition, position }, i) => {
    const end = bounds[i]?.stable ?? null;
    const name = nameOf({ topic, partition });
    const next = first.get(name) ?? null;
    const newest = last.get(name) ?? null;
    return {
      ...{ topic, partition, position, end, next, newest },
      lag: end === null ? null : next === null ? 0 : end - Math.max(position, bounds[i]!.start),
      lagMs: next === null || newest === null ? 0 : Math.max(0, newest - next),
      ageMs: next === null ? null : Math.max(0, now - next),
    };
  });
}

interface Span extends TopicPartition {
  readonly from: Position;
  readonly end: Position;
}

const nameOf = ({ topic, partition }: TopicPartition) => partitionName(topic, partition);

async function boundsOf(log: Log, { topic, partition }: TopicPartition): Promise<PartitionBounds | undefined> {
  try {
    return await log.admin.bounds(topic, partition);
  } catch (thrown) {
    if (isFlowError(thrown, 'topic.missing')) return undefined;
    throw thrown;
  }
}

/** One time of each span, as `choose` takes it from those of the first batches in it that have records. */
async function timesOf(
  log: Log,
  spans: readonly Span[],
  choose: (times: readonly Millis[]) => Millis | undefined,
): Promise<ReadonlyMap<string, Millis>> {
  const found = new Map<string, Millis>();
  const open = new Map(spans.map((span) => [nameOf(span), span]));
  const reader = log.reader({ isolation: 'committed', maxPartitionBytes: 64 * 1024 });
  reader.assign(spans.map(({ topic, partition, from }) => ({ topic, partition, position: from })));
  const view = new BatchView();
  try {
    for (let empty = 0; open.size > 0 && empty < MOST_EMPTY; empty++) {
      for (const fetched of await reader.fetch(WAIT_MS)) {
        empty = 0;
        const span = open.get(nameOf(fetched));
        const time = span === undefined ? undefined : choose(timesIn(view, fetched, span));
        const isRead = span === undefined || time !== undefined || fetched.next >= span.end;
        fetched.release();
        if (!isRead) continue;
        if (time !== undefined) found.set(nameOf(fetched), time);
        open.delete(nameOf(fetched));
        reader.unassign([fetched]);
      }
    }
    return found;
  } finally {
    await reader.close();
  }
}

function timesIn(view: BatchView, fetched: Fetched, { from, end }: Span): readonly Millis[] {
  const times: Millis[] = [];
  for (let b = 0; b < fetched.starts.length; b++) {
    view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
    for (let i = 0; i < view.count; i++) {
      if (view.positions[i]! >= from && view.positions[i]! < end) times.push(view.timestamps[i]!);
    }
  }
  return times;
}
