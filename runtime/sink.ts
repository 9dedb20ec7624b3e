import type { Outputs } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import type { BatchBuilder } from '../log/batch.ts';
import { partitionForKey } from '../log/log.ts';
import type { Output, Rec } from '../operators/operators.ts';
import type { Serde } from '../schemas/schemas.ts';

export interface SinkOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly outputs: Outputs;
  /** The partition that the records keep, where their key was never changed; else by key. */
  readonly inherited: number | undefined;
  /** Where records without a key go. */
  readonly nullKeyPartition: number;
  /** The largest record the topic takes, in bytes of key and value. */
  readonly maxRecordBytes: number;
}

/** Room for a batch header and a record's own lengths. */
const OVERHEAD_BYTES = 128;

/** Writes the records of one node into the batches of its topic. Untouched records are copied as they lie. */
export function createSink(options: SinkOptions): Output {
  const { key, value, outputs, partitions, inherited, nullKeyPartition } = options;
  const limit = outputs.batchBytes;
  const maxBytes = options.maxRecordBytes - OVERHEAD_BYTES;
  const builders: BatchBuilder[] = [];
  for (let p = 0; p < partitions; p++) builders.push(outputs.builder(options.topic, p));
  return {
    write(record: Rec, given?: number): void {
      record.encodeKey(key);
      record.encodeValue(value);
      const partition =
        given ??
        inherited ??
        (record.keyStart < 0
          ? nullKeyPartition
          : partitionForKey(record.keyBytes, record.keyStart, record.keyEnd, partitions));
      const builder = builders[partition]!;
      if (record.valueEnd - record.valueStart > maxBytes) throw tooLarge(options, record);
      if (record.bodyStart >= 0) {
        builder.appendBody(record.timestamp, record.bodyBytes, record.bodyStart, record.bodyEnd);
      } else if (record.headerStart >= 0) {
        builder.appendWithHeaders(
          record.timestamp,
          record.keyBytes,
          record.keyStart,
          record.keyEnd,
          record.valueBytes,
          record.valueStart,
          record.valueEnd,
          record.headerBytes,
          record.headerStart,
          record.headerEnd,
        );
      } else {
        builder.append(
          record.timestamp,
          record.keyBytes,
          record.keyStart,
          record.keyEnd,
          record.valueBytes,
          record.valueStart,
          record.valueEnd,
        );
      }
      if (builder.size >= limit) outputs.full = true;
    },
  };
}

function tooLarge(options: SinkOptions, record: Rec): FlowError {
  const size = record.valueEnd - record.valueStart;
  return new FlowError(
    'log.oversize',
    `a value of ${size} bytes does not fit topic ${options.topic}: raise its max.message.bytes (${options.maxRecordBytes}) or write less per record`,
  );
}
