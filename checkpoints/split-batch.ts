import type { Bytes } from '../core/bytes.ts';
import type { TopicPartition } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView, type Compression } from '../log/batch.ts';

/** What a record takes in a batch beside its body, at most. */
const PREFIX_BYTES = 32;

export interface Piece {
  readonly bytes: Bytes;
  readonly records: number;
}

/**
 * The records of a batch in several, each of at most so many bytes before it is compressed. A record that is larger by
 * itself is left as it is, for the log to judge.
 */
export function splitBatch(
  whole: Bytes,
  limit: number,
  compression: Compression,
  where: TopicPartition,
): readonly Piece[] {
  const view = new BatchView();
  view.open(whole, 0, whole.length, where);
  const step = new Step();
  const builder = new BatchBuilder(step);
  const pieces: Piece[] = [];
  const finish = () => {
    const records = builder.count;
    pieces.push({ bytes: builder.finish(compression), records });
  };
  step.begin();
  for (let i = 0; i < view.count; i++) {
    const [start, end] = [view.bodyStarts[i]!, view.bodyEnds[i]!];
    if (builder.count > 0 && builder.size + end - start + PREFIX_BYTES > limit) finish();
    builder.appendBody(view.timestamps[i]!, view.bytes, start, end);
  }
  finish();
  step.settle();
  return pieces;
}
