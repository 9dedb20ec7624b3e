import { join } from 'node:path';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Position } from '../../core/ids.ts';
import { basePosition, corrupt, lastPosition } from '../batch-header.ts';
import type { Disk } from './disk.ts';
import type { StoredJournal } from './journal.ts';
import type { PartitionRow } from './journal-frame.ts';
import type { Partition } from './partition.ts';
import { Ranges } from './ranges.ts';
import { Segment, segmentBase } from './segment.ts';
import { Transaction } from './transaction.ts';

/** What the journal says of one partition since its snapshot. */
interface Replay {
  readonly row: PartitionRow | undefined;
  readonly committed: Ranges;
  readonly embedded: { readonly base: Position; readonly bytes: Bytes }[];
  /** The highest position that a segment must hold. */
  stored: Position;
  start: Position;
}

export type Replays = ReadonlyMap<string, Replay>;

export function replayKey(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

/** Sorts the journal's facts by partition. */
export function replays(journal: StoredJournal): Replays {
  const all = new Map<string, Replay>();
  for (const row of journal.snapshot.partitions) all.set(replayKey(row[0], row[1]), emptyReplay(row));
  const of = (topicId: string, partition: number): Replay => {
    const key = replayKey(topicId, partition);
    const found = all.get(key) ?? emptyReplay(undefined);
    all.set(key, found);
    return found;
  };
  for (const { entry, payload } of journal.entries) {
    if (entry.type === 'start') of(entry.topicId, entry.partition).start = entry.start;
    if (entry.type !== 'commit') continue;
    for (const [topicId, partition, ranges, stored] of entry.ranges) {
      const replay = of(topicId, partition);
      for (let i = 0; i < ranges.length; i += 2) replay.committed.add(ranges[i]!, ranges[i + 1]!);
      replay.stored = Math.max(replay.stored, stored);
    }
    let at = 0;
    for (const [topicId, partition, base, length] of entry.batches) {
      of(topicId, partition).embedded.push({ base, bytes: payload.subarray(at, at + length) });
      at += length;
    }
  }
  return all;
}

function emptyReplay(row: PartitionRow | undefined): Replay {
  return { row, committed: new Ranges(), embedded: [], stored: -1, start: row?.[2] ?? 0 };
}

/**
 * Brings one partition to the state that the journal tells: its segments up to what is whole, behind them what
 * the journal carries itself. Whatever no entry commits is aborted.
 */
export async function recoverPartition(
  disk: Disk,
  partition: Partition,
  replay = emptyReplay(undefined),
): Promise<void> {
  const { row, committed } = replay;
  partition.start = replay.start;
  partition.aborted = new Ranges(row?.[6]);
  const undecided = new Ranges(row?.[7]);
  for (let i = 0; i < committed.bounds().length; i += 2) {
    undecided.remove(committed.bounds()[i]!, committed.bounds()[i + 1]!);
  }
  for (let i = 0; i < undecided.bounds().length; i += 2) {
    partition.aborted.add(undecided.bounds()[i]!, undecided.bounds()[i + 1]!);
  }
  await recoverSegments(disk, partition, replay);
  const stored = partition.active?.index.next ?? 0;
  if (replay.stored >= Math.max(stored, partition.start)) {
    const where = { topic: partition.topic.name, partition: partition.number };
    throw corrupt(where, stored, `its segment ends there, but positions up to ${replay.stored} were committed`);
  }
  partition.end = Math.max(row?.[3] ?? 0, stored, partition.start);
  restoreTail(partition, replay, stored);
  partition.aborted.dropBelow(partition.start);
}

function restoreTail(partition: Partition, replay: Replay, stored: Position): void {
  const owner = new Transaction(-1, -1);
  owner.state = 'committed';
  for (const { base, bytes } of replay.embedded.sort((a, b) => a.base - b.base)) {
    const last = lastPosition(bytes, 0);
    if (base < stored || last < partition.start) continue;
    const batch = { base, last, bytes, owner };
    owner.take(partition, batch);
    partition.tail.push(batch);
    partition.unwritten += bytes.length;
    partition.end = Math.max(partition.end, last + 1);
  }
}

async function recoverSegments(disk: Disk, partition: Partition, replay: Replay): Promise<void> {
  const names = await disk.list(partition.directory);
  for (const name of names) if (name.endsWith('.new')) await disk.unlink(join(partition.directory, name));
  const bases = names.map(segmentBase).filter((base) => base !== undefined);
  let changed = names.some((name) => name.endsWith('.new'));
  let torn = false;
  for (const base of bases.sort((a, b) => a - b)) {
    const segment = new Segment(disk, partition.directory, base);
    if (torn) {
      await removeSegment(disk, segment);
      continue;
    }
    torn = await recoverSegment(disk, partition, segment, replay);
    changed ||= torn;
    if (segment.size === 0) {
      await removeSegment(disk, segment);
      changed = true;
    } else partition.segments.push(segment);
  }
  if (changed) await disk.syncDirectory(partition.directory);
}

export async function removeSegment(disk: Disk, segment: Segment): Promise<void> {
  await segment.kill();
  for (const path of [segment.indexPath, segment.path]) {
    await disk.unlink(path).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') throw thrown;
    });
  }
}

/** Takes in what is whole; true where the rest had to be cut off. */
async function recoverSegment(disk: Disk, partition: Partition, segment: Segment, replay: Replay): Promise<boolean> {
  const where = { topic: partition.topic.name, partition: partition.number };
  const [, , , , activeBase, activeSize] = replay.row ?? [0, 0, 0, 0, -1, 0];
  const fileSize = await segment.use((file) => file.size());
  const trusted = segment.base < activeBase ? fileSize : segment.base === activeBase ? activeSize : 0;
  if (fileSize < trusted) throw corrupt(where, -1, `its segment ${segment.path} has ${fileSize} of ${trusted} bytes`);
  // An index that is not to be trusted must not come back once its segment has grown again.
  if (await segment.loadIndex(trusted)) await disk.syncDirectory(partition.directory);
  if (segment.index.covered < trusted) await segment.extendIndex(trusted, where);
  segment.size = trusted;
  if (fileSize > trusted) {
    let next = segment.index.next;
    segment.size = await segment.scan(trusted, fileSize, (bytes, at, length) => {
      const base = basePosition(bytes, at);
      if (base < next) return false;
      next = lastPosition(bytes, at) + 1;
      segment.indexBatch(bytes, at, length);
      if (!replay.committed.has(base)) partition.aborted.add(base, next - 1);
      return true;
    });
  }
  if (segment.size < fileSize) {
    const keep = segment.size;
    await segment.use((file) => file.truncate(keep));
    failpoint('file.recovery.cut');
  }
  if (fileSize > trusted) await segment.use((file) => file.datasync());
  segment.synced = segment.size;
  return segment.size < fileSize;
}

/** Fails with `log.format` where a newer version wrote the folder. */
export function checkFormat(text: string, path: string, version: number): void {
  let stored: unknown;
  try {
    stored = (JSON.parse(text) as { format?: unknown }).format;
  } catch (cause) {
    throw new FlowError('log.corrupt', `${path} is not readable; restore it from a copy`, { cause });
  }
  if (typeof stored === 'number' && stored <= version) return;
  throw new FlowError(
    'log.format',
    `${path} says format ${String(stored)}; this version reads up to ${version}; use the version that wrote it`,
  );
}
