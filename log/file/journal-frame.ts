import { type Bytes, readInt32, writeInt32 } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import { batchLength, checkBatch, crc32c } from '../batch.ts';

/**
 * A journal file: eight bytes of head (magic, format version), then entries. An entry is
 * `0 crc uint32 (of 4 to the end of its text) · 4 text length uint32 · 8 payload length uint32 · 12 text (JSON) · payload`.
 * The payload of a commit is record batches, each under its own CRC; their places stand in the text.
 */
export const JOURNAL_VERSION = 1;
export const JOURNAL_HEAD_BYTES = 8;
const ENTRY_HEAD_BYTES = 12;
const MAGIC = 0x6e666a6c;

/** topic id, partition, ranges of positions (first, last ...), highest of them that stands in a segment or -1. */
export type CommittedRange = readonly [string, number, readonly Position[], Position];
/** topic id, partition, base position, length in the payload. */
export type EmbeddedBatch = readonly [string, number, Position, number];
/** group, topic, partition, position, metadata. */
export type GroupPosition = readonly [string, string, number, Position, string];
/** transactional id, producer id, epoch. */
export type ProducerRow = readonly [string, number, number];
/** topic id, partition, start, end, base of the active segment or -1, its bytes, aborted ranges, open ranges. */
export type PartitionRow = readonly [
  string,
  number,
  Position,
  Position,
  Position,
  number,
  readonly Position[],
  readonly Position[],
];

export interface SnapshotEntry {
  readonly type: 'snapshot';
  readonly nextProducerId: number;
  readonly producers: readonly ProducerRow[];
  readonly positions: readonly GroupPosition[];
  readonly generations: readonly (readonly [string, number])[];
  readonly partitions: readonly PartitionRow[];
}

export interface CommitEntry {
  readonly type: 'commit';
  readonly producerId: number;
  readonly epoch: number;
  readonly ranges: readonly CommittedRange[];
  readonly batches: readonly EmbeddedBatch[];
  readonly positions: readonly GroupPosition[];
}

export type Entry =
  | SnapshotEntry
  | CommitEntry
  | { readonly type: 'producer'; readonly row: ProducerRow }
  | { readonly type: 'start'; readonly topicId: string; readonly partition: number; readonly start: Position }
  | { readonly type: 'generation'; readonly group: string; readonly generation: number }
  | { readonly type: 'group.delete'; readonly group: string }
  | { readonly type: 'topic.delete'; readonly topic: string };

export function journalHead(): Bytes {
  const bytes = Buffer.alloc(JOURNAL_HEAD_BYTES);
  writeInt32(bytes, 0, MAGIC);
  writeInt32(bytes, 4, JOURNAL_VERSION);
  return bytes;
}

/** Whether this is a journal; fails with `log.format` where a newer version wrote it. */
export function isJournal(bytes: Bytes, path: string): boolean {
  if (bytes.length < JOURNAL_HEAD_BYTES || readInt32(bytes, 0) !== MAGIC) return false;
  const version = readInt32(bytes, 4);
  if (version <= JOURNAL_VERSION) return true;
  throw new FlowError(
    'log.format',
    `${path} has journal format ${version}; this version reads up to ${JOURNAL_VERSION}; use the newer version`,
  );
}

/** The entry as parts to write, the payload uncopied. */
export function encodeEntry(entry: Entry, payload: readonly Bytes[]): Bytes[] {
  const text = JSON.stringify(entry);
  const length = Buffer.byteLength(text);
  const head = Buffer.allocUnsafe(ENTRY_HEAD_BYTES + length);
  let payloadLength = 0;
  for (const part of payload) payloadLength += part.length;
  writeInt32(head, 4, length);
  writeInt32(head, 8, payloadLength);
  head.write(text, ENTRY_HEAD_BYTES);
  writeInt32(head, 0, crc32c(head, 4, head.length));
  return [head, ...payload];
}

export interface DecodedEntry {
  readonly entry: Entry;
  readonly payload: Bytes;
  /** Where the next entry begins. */
  readonly next: number;
}

/** The entry at `at`, or `undefined` where there is no whole one. */
export function decodeEntry(bytes: Bytes, at: number): DecodedEntry | undefined {
  if (at + ENTRY_HEAD_BYTES > bytes.length) return undefined;
  const length = readInt32(bytes, at + 4) >>> 0;
  const payloadAt = at + ENTRY_HEAD_BYTES + length;
  const next = payloadAt + (readInt32(bytes, at + 8) >>> 0);
  if (length === 0 || next > bytes.length) return undefined;
  if (readInt32(bytes, at) >>> 0 !== crc32c(bytes, at + 4, payloadAt)) return undefined;
  const entry = JSON.parse(bytes.toString('utf8', at + ENTRY_HEAD_BYTES, payloadAt)) as Entry;
  const payload = bytes.subarray(payloadAt, next);
  if (entry.type === 'commit' && !wholeBatches(entry, payload)) return undefined;
  return { entry, payload, next };
}

function wholeBatches(entry: CommitEntry, payload: Bytes): boolean {
  let at = 0;
  for (const [, partition, , length] of entry.batches) {
    if (at + length > payload.length || batchLength(payload, at) !== length) return false;
    try {
      checkBatch(payload, at, at + length, { topic: 'journal', partition });
    } catch {
      return false;
    }
    at += length;
  }
  return at === payload.length;
}
