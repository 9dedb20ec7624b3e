import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { type Serde, windowed } from '../schemas/schemas.ts';
import type { NodeOf } from '../topology/plan.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';

export interface WindowedKeys {
  /** Gives a record the key `bytes[keyStart, keyEnd)` within the window that starts at `start`. */
  set(record: Rec, start: Millis, bytes: Bytes, keyStart: number, keyEnd: number): void;
}

/** Encodes keys of windows in the form of `windowed` of `schemas/`: the key's bytes, then the start. */
export function createWindowedKeys(
  node: NodeOf<'aggregate'>,
  sizeMs: Millis,
  context: OperatorContext,
  of: 'updates' | 'finals',
): WindowedKeys {
  const serde: Serde<unknown> =
    node.key === null ? windowed(context.storeSerdes(node.store).key, sizeMs) : context.serde(node.key);
  const view = shared(serde, `${node.id} key of ${of}`, () => serde.view());
  const scratch = new ByteWriter(64);
  return {
    set(record, start, bytes, keyStart, keyEnd) {
      scratch.clear();
      scratch.copy(bytes, keyStart, keyEnd);
      scratch.int64(start);
      record.setKeyBytes(serde, view, scratch.bytes, 0, scratch.at);
    },
  };
}
