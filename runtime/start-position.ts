import { partitionName, type TopicPartition } from '../core/ids.ts';
import type { CommittedPosition, Log } from '../log/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { RunSettings } from './runtime.ts';

export interface StartParts {
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly settings: Pick<RunSettings, 'onLostPosition'>;
}

/**
 * Where the reading of a partition begins: at the committed position, else at the first record. A committed one that the
 * partition no longer has, or does not have yet, is kept where that is to fail, since its fetch will; else it is said,
 * and the reading begins where the settings want it.
 */
export async function startPosition(
  { log, telemetry, settings }: StartParts,
  { topic, partition }: TopicPartition,
  committed: CommittedPosition | undefined,
): Promise<CommittedPosition> {
  const { onLostPosition } = settings;
  if (committed !== undefined && onLostPosition === 'fail') return committed;
  const { start, end } = await log.admin.bounds(topic, partition);
  if (committed === undefined) return { position: start, metadata: '' };
  const { position } = committed;
  if (position >= start && position <= end) return committed;
  const next = onLostPosition === 'earliest' ? start : end;
  const what = position < start ? `${start - position} positions before its first record are gone` : 'it ends before';
  telemetry.log.error(
    { topic, partition },
    `the committed position ${position} of ${partitionName(topic, partition)} is not within ${start} to ${end}: ${what}; ` +
      `reading goes on at ${next}, as run.onLostPosition ${onLostPosition} says`,
  );
  return { ...committed, position: next };
}
