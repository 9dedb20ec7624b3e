import { type Bytes, EMPTY } from '../../core/bytes.ts';
import type { Position, TopicPartition } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import {
  appendPlain,
  BatchBuilder,
  BatchView,
  CODEC,
  eachHeader,
  type HeaderPair,
  type PlainRecord,
} from '../batch.ts';
import { basePosition, corrupt, isControl, recordCount, stampPosition } from '../batch-header.ts';

/** A record as client libraries give it. */
export interface PlacedRecord extends PlainRecord {
  readonly position: Position;
}

/** What an appended batch holds. */
export interface Unpacked {
  readonly records: readonly PlainRecord[];
  /** How its records were compressed: one of `CODEC`. */
  readonly codec: number;
}

const NO_HEADERS: readonly HeaderPair[] = [];

/**
 * Opens batches for client libraries that take records one by one. The records lie in the batch's own memory where it
 * was not compressed.
 */
export class Unpacker {
  readonly #view = new BatchView();

  /** Fails with `log.corrupt` where the bytes are not one whole batch of data. */
  open(batch: Bytes, where: TopicPartition): Unpacked {
    const view = this.#view;
    view.open(batch, 0, batch.length, where);
    if (isControl(batch, 0) || recordCount(batch, 0) <= 0) {
      throw corrupt(where, basePosition(batch, 0), 'only records of data can be appended');
    }
    // What the view has decompressed is overwritten by the next batch.
    const bytes = view.codec === CODEC.none ? view.bytes : Buffer.from(view.bytes);
    const part = (start: number, end: number) => (start < 0 ? null : bytes.subarray(start, end));
    const records: PlainRecord[] = [];
    for (let i = 0; i < view.count; i++) {
      records.push({
        key: part(view.keyStarts[i]!, view.keyEnds[i]!),
        value: part(view.valueStarts[i]!, view.valueEnds[i]!),
        timestamp: view.timestamps[i]!,
        headers: headersOf(bytes, view.headerStarts[i]!, view.bodyEnds[i]!),
      });
    }
    return { records, codec: view.codec };
  }
}

function headersOf(bytes: Bytes, start: number, end: number): readonly HeaderPair[] {
  if (bytes[start] === 0) return NO_HEADERS;
  const pairs: HeaderPair[] = [];
  eachHeader(bytes, start, end, (nameStart, nameEnd, valueStart, valueEnd) => {
    const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
    pairs.push({ name: bytes.toString('utf8', nameStart, nameEnd), value });
  });
  return pairs;
}

/** Batches side by side in one buffer, as `Fetched` has them. */
export interface Packed {
  readonly bytes: Bytes;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const NOTHING: Packed = { bytes: EMPTY, starts: [], ends: [] };
/** A batch is finished at this size, where its records go on. */
const BATCH_BYTES = 64 << 10;

/** Encodes records that a client library has decoded, so that readers find batches at the positions of the log. */
export class Packer {
  readonly #step = new Step();
  readonly #builder = new BatchBuilder(this.#step);

  /** One list becomes one batch, or several where positions are missing between its records. */
  pack(lists: readonly (readonly PlacedRecord[])[]): Packed {
    const batches: Bytes[] = [];
    for (const records of lists) this.#pack(records, batches);
    if (batches.length === 0) return NOTHING;
    const starts: number[] = [];
    const ends: number[] = [];
    let at = 0;
    for (const batch of batches) {
      starts.push(at);
      at += batch.length;
      ends.push(at);
    }
    const bytes = Buffer.concat(batches);
    for (const batch of batches) this.#builder.recycle(batch);
    return { bytes, starts, ends };
  }

  /** Records of no batch in particular become batches of a moderate size. */
  packLoose(records: readonly PlacedRecord[]): Packed {
    const lists: PlacedRecord[][] = [];
    let list: PlacedRecord[] = [];
    let size = 0;
    for (const record of records) {
      if (size > BATCH_BYTES) {
        lists.push(list);
        list = [];
        size = 0;
      }
      list.push(record);
      size += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    }
    if (list.length > 0) lists.push(list);
    return this.pack(lists);
  }

  #pack(records: readonly PlacedRecord[], batches: Bytes[]): void {
    let first = 0;
    for (let i = 0; i < records.length; i++) {
      const next = records[i + 1]?.position;
      const { position } = records[i]!;
      this.#append(records[i]!);
      if (next === position + 1) continue;
      const batch = this.#builder.finish();
      stampPosition(batch, 0, records[first]!.position);
      batches.push(batch);
      first = i + 1;
    }
  }

  #append(record: PlacedRecord): void {
    this.#step.begin();
    appendPlain(this.#builder, record);
    this.#step.settle();
  }
}
