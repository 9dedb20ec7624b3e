import { type Bytes, readInt16, writeInt16 } from '../core/bytes.ts';
import type { Millis, TopicPartition } from '../core/ids.ts';
import {
  BATCH_HEADER_BYTES,
  basePosition,
  CONTROL_ATTRIBUTES,
  corrupt,
  isControl,
  stampProducer,
  writeHeader,
} from './batch-header.ts';
import { readSigned, varintEnd } from './varint.ts';

/** How a transaction ended, as its control record in each partition says. */
export type Marker = 'commit' | 'abort';

/** Key: version and type, two bytes each. Value: version, two bytes, and the coordinator's epoch, four. */
const KEY_BYTES = 4;
const VALUE_BYTES = 6;
const RECORD_BYTES = 3 + 1 + KEY_BYTES + 1 + VALUE_BYTES + 1;

/** A finished control batch of one marker, at position 0. */
export function encodeMarker(marker: Marker, producerId: number, producerEpoch: number, timestamp: Millis): Bytes {
  const end = BATCH_HEADER_BYTES + 1 + RECORD_BYTES;
  const bytes = Buffer.alloc(end);
  let at = BATCH_HEADER_BYTES;
  bytes[at++] = RECORD_BYTES * 2;
  at += 3;
  bytes[at++] = KEY_BYTES * 2;
  writeInt16(bytes, at + 2, marker === 'commit' ? 1 : 0);
  at += KEY_BYTES;
  bytes[at] = VALUE_BYTES * 2;
  writeHeader(bytes, 0, end, {
    attributes: CONTROL_ATTRIBUTES,
    lastDelta: 0,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    count: 1,
  });
  stampProducer(bytes, 0, { producerId, producerEpoch, baseSequence: -1, transactional: true });
  return bytes;
}

/**
 * What a checked control batch says; `undefined` for a batch of data, or for a control record of another kind.
 */
export function markerOf(bytes: Bytes, start: number, end: number, where: TopicPartition): Marker | undefined {
  if (!isControl(bytes, start)) return undefined;
  readSigned(bytes, start + BATCH_HEADER_BYTES, end);
  readSigned(bytes, varintEnd + 1, end);
  readSigned(bytes, varintEnd, end);
  const keyLength = readSigned(bytes, varintEnd, end);
  if (!(keyLength >= KEY_BYTES && varintEnd + KEY_BYTES <= end)) {
    throw corrupt(where, basePosition(bytes, start), 'its control record has no type');
  }
  const type = readInt16(bytes, varintEnd + 2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : undefined;
}
