import { FlowError } from '../../core/errors.ts';
import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition } from '../log.ts';

const MOST_METADATA_BYTES = 4096;

export type Positions = readonly (TopicPartition & CommittedPosition)[];

export function checkMetadata(positions: Positions): void {
  for (const { topic, partition, metadata } of positions) {
    if (Buffer.byteLength(metadata) <= MOST_METADATA_BYTES) continue;
    throw new FlowError(
      'log.oversize',
      `metadata of the position of ${partitionName(topic, partition)} is over 4 KiB; keep less with it`,
    );
  }
}

export function closedProducer(name: string): FlowError {
  return new FlowError('log.closed', `producer ${name} was closed`);
}

export function misuse(message: string): FlowError {
  return new FlowError('log.unsupported', message);
}
