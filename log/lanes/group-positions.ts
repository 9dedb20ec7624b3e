import { FlowError } from '../../core/errors.ts';
import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition } from '../log.ts';
import { type Declarations, laneTopic, type Row } from './declarations.ts';
import { type Directory, placeOf } from './directory.ts';

/** Where positions of groups of a logical partition are kept: a partition that exists, and that is its alone in its run. */

const METADATA_BYTES = 4096;
const TAG = /^([A-Za-z0-9]+)\/(\d+) /;

type Positioned = TopicPartition & CommittedPosition;

/** Where groups keep positions of it; `undefined` where they have kept none yet. */
export function slotOf({ topic, partition }: TopicPartition, row: Row | null, lanePartitions: number) {
  if (row === null) return { topic, partition };
  placeOf(row, partition);
  if (row.slot < 0) return undefined;
  const slot = row.slot + partition;
  return { topic: laneTopic(Math.floor(slot / lanePartitions)), partition: slot % lanePartitions };
}

export async function placePositions(
  positions: readonly Positioned[],
  directory: Directory,
): Promise<readonly Positioned[]> {
  const rows = await Promise.all(positions.map(async ({ topic }) => directory.slots.of(await directory.find(topic))));
  return positions.map((each, i) => placePosition(each, rows[i]!, directory.declarations.lanePartitions));
}

function placePosition(each: Positioned, row: Row | null, lanePartitions: number): Positioned {
  const slot = slotOf(each, row, lanePartitions)!;
  if (row === null) return each;
  const metadata = `${row.tags[each.partition]!.toString('latin1')} ${each.metadata}`;
  if (Buffer.byteLength(metadata) > METADATA_BYTES) {
    const name = partitionName(each.topic, each.partition);
    throw new FlowError(
      'log.oversize',
      `metadata of a position of ${name} is over 4 KiB, with its mark as one of a lane`,
    );
  }
  return { ...slot, position: each.position, metadata };
}

/** What was kept there, unless it is of another topic: one that was deleted. */
export function placeBack(
  { position, metadata }: CommittedPosition,
  { partition }: TopicPartition,
  row: Row | null,
): CommittedPosition | undefined {
  if (row === null) return { position, metadata };
  const tag = TAG.exec(metadata);
  if (tag?.[1] !== row.id || Number(tag[2]) !== partition) return undefined;
  return { position, metadata: metadata.slice(tag[0].length) };
}

/** Of positions of a group as they are listed: those of logical partitions by their names. */
export function namePositions(
  positions: readonly (TopicPartition & CommittedPosition)[],
  declarations: Declarations,
): readonly (TopicPartition & CommittedPosition)[] {
  return positions.flatMap((each) => {
    const tag = TAG.exec(each.metadata);
    if (tag === null || !each.topic.startsWith('nf.lane.')) return each;
    const row = declarations.byId(tag[1]!);
    if (row === undefined) return [];
    const metadata = each.metadata.slice(tag[0].length);
    return { topic: row.topic, partition: Number(tag[2]), position: each.position, metadata };
  });
}
