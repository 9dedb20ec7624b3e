import { messageOf } from '../core/errors.ts';
import { MISS } from '../core/step.ts';
import type { BatchView } from '../log/batch.ts';
import type { Serde } from '../schemas/schemas.ts';

/** Why a record of an open batch cannot be decoded, or `undefined` where it can. Decodes it wholly, which may miss. */
export function undecodableAt(
  view: BatchView,
  i: number,
  key: Serde<unknown>,
  value: Serde<unknown>,
): string | undefined {
  return (
    fault('key', key, view, view.keyStarts[i]!, view.keyEnds[i]!) ??
    fault('value', value, view, view.valueStarts[i]!, view.valueEnds[i]!)
  );
}

function fault(part: string, serde: Serde<unknown>, view: BatchView, start: number, end: number): string | undefined {
  if (start < 0) return undefined;
  try {
    serde.read(view.bytes, start, end);
    return undefined;
  } catch (thrown) {
    if (thrown === MISS) throw thrown;
    return `${part}: ${messageOf(thrown)}`;
  }
}
