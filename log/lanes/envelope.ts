import { type Bytes, copyBytes, varintSize, writeVarint, zigzag } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, partitionName, type TopicPartition } from '../../core/ids.ts';
import { BATCH_HEADER_BYTES, CODEC, codecOf, lastDelta, writeHeader } from '../batch-header.ts';
import { readSigned, varintEnd } from '../varint.ts';

/**
 * A batch within a batch. The outer one has as many records as the inner one has positions, so that each position of
 * the inner has one in the lane: the first has the tag for its key and the inner batch for its value, the others are
 * empty. Its bytes stand as they were appended, compressed or not, with their own checksum.
 */
export interface Opened {
  tag: string;
  start: number;
  end: number;
}

const NULL = 1;
/** Records without key and value, of the positions from the second on, as they stand in every envelope. */
let padding: Bytes = Buffer.alloc(0);
let padded = 0;

export function seal(inner: Bytes, tag: Bytes, now: Millis): Bytes {
  const others = lastDelta(inner, 0);
  const keyCode = zigzag(tag.length);
  const valueCode = zigzag(inner.length);
  // attributes, delta of time, delta of position; no headers
  const body = 3 + varintSize(keyCode) + tag.length + varintSize(valueCode) + inner.length + 1;
  const bodyCode = zigzag(body);
  const paddingBytes = paddingSize(others);
  const bytes = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + varintSize(bodyCode) + body + paddingBytes);
  let at = writeVarint(bytes, BATCH_HEADER_BYTES, bodyCode);
  bytes.fill(0, at, at + 3);
  at = writeVarint(bytes, at + 3, keyCode);
  at = copyBytes(bytes, at, tag, 0, tag.length);
  at = writeVarint(bytes, at, valueCode);
  at += inner.copy(bytes, at);
  bytes[at++] = 0;
  if (others > padded) pad(others);
  at += padding.copy(bytes, at, 0, paddingBytes);
  const fields = { attributes: 0, lastDelta: others, baseTimestamp: now, maxTimestamp: now, count: others + 1 };
  writeHeader(bytes, 0, at, fields);
  return bytes;
}

/** What the batch at `start` holds, written into `opened`; false where it is no envelope. */
export function open(bytes: Bytes, start: number, end: number, where: TopicPartition, opened: Opened): boolean {
  if (codecOf(bytes, start) !== CODEC.none) {
    throw new FlowError(
      'topic.settings',
      `${partitionName(where.topic, where.partition)} is compressed by the brokers; set its compression.type to producer`,
    );
  }
  readSigned(bytes, start + BATCH_HEADER_BYTES, end);
  const keyLength = readSigned(bytes, varintEnd + 3, end);
  const keyStart = varintEnd;
  if (!(keyLength > 0 && keyStart + keyLength < end)) return false;
  const valueLength = readSigned(bytes, keyStart + keyLength, end);
  if (!(valueLength >= BATCH_HEADER_BYTES && varintEnd + valueLength < end)) return false;
  opened.tag = bytes.toString('latin1', keyStart, keyStart + keyLength);
  opened.start = varintEnd;
  opened.end = varintEnd + valueLength;
  return true;
}

function pad(count: number): void {
  const most = Math.max(count, padded * 2, 1024);
  const bytes = Buffer.allocUnsafeSlow(paddingSize(most));
  let at = 0;
  for (let i = 1; i <= most; i++) {
    const position = zigzag(i);
    at = writeVarint(bytes, at, zigzag(5 + varintSize(position)));
    bytes[at++] = 0;
    bytes[at++] = 0;
    at = writeVarint(bytes, at, position);
    bytes[at++] = NULL;
    bytes[at++] = NULL;
    bytes[at++] = 0;
  }
  padding = bytes;
  padded = most;
}

/** A record of seven bytes for each position, and one more for each byte that the position takes beyond the first. */
function paddingSize(count: number): number {
  let size = count * 7;
  for (let least = 64; least <= count; least *= 128) size += count - least + 1;
  return size;
}
