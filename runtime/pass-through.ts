import type { Outputs } from '../checkpoints/checkpoints.ts';
import { batchHeader, lendBuffer } from '../log/batch.ts';
import type { Fetched } from '../log/log.ts';
import type { Stage } from '../topology/plan.ts';
import type { TopicLimit } from './deploy.ts';
import type { PlanIndex } from './stage.ts';
import type { TopicInputOptions } from './topic-input.ts';

/** Smaller batches are opened and packed anew: many small ones cost every later reader more. */
const MIN_PASS_BYTES = 16 * 1024;

export interface PassParts {
  readonly index: PlanIndex;
  readonly stage: Stage;
  readonly partition: number;
  readonly outputs: Outputs;
  limit(topic: string): TopicLimit;
}

/**
 * Passes batches that nobody looks into whole, from a stage that only copies a topic to another of as many
 * partitions. Conditions as hard-places 7 lists them: dense, creation time, no control or aborted data (the
 * reader leaves those out), wholly inside the range to read, event time that of the record, one input in the task,
 * a target that is not compacted and takes so many bytes.
 */
export function passThrough(
  { index, stage, partition, outputs, limit }: PassParts,
  passed: (position: number, records: number) => void,
): TopicInputOptions['pass'] {
  const nodes = index.stageNodes(stage);
  const [source, sink] = nodes;
  if (nodes.length !== 2 || source?.kind !== 'source' || source.time !== null || source.timing !== undefined)
    return undefined;
  if (sink?.kind !== 'to' || sink.partitioner !== 'inherited') return undefined;
  const from = index.topics.get(source.topic)!;
  const to = index.topics.get(sink.topic)!;
  if (from.partitions !== to.partitions || from.key !== to.key || from.value !== to.value) return undefined;
  const { maxBytes, compacted } = limit(to.name);
  if (compacted) return undefined;
  return (fetched: Fetched, batch: number): boolean => {
    const start = fetched.starts[batch]!;
    const end = fetched.ends[batch]!;
    if (end - start < MIN_PASS_BYTES || end - start > maxBytes) return false;
    const { basePosition, lastPosition, count, timestampType } = batchHeader(fetched.bytes, start);
    if (lastPosition - basePosition + 1 !== count) return false;
    if (timestampType !== 'create' || basePosition < fetched.position) return false;
    const copy = lendBuffer(end - start).subarray(0, end - start);
    fetched.bytes.copy(copy, 0, start, end);
    outputs.pass(to.name, partition, copy, count);
    passed(lastPosition + 1, count);
    return true;
  };
}
