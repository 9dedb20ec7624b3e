import type { ByteWriter } from '../core/bytes.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { CodeRef } from '../topology/plan.ts';
import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';

/** Puts the foreign key that a value names down in place of what was there; false where it names none, and for no value. */
export type EncodeForeignKey = (value: unknown, record: Rec, into: ByteWriter) => boolean;

export function createForeignKey(context: OperatorContext, ref: CodeRef, serde: Serde<unknown>): EncodeForeignKey {
  const fn = context.fn<Fn<unknown>>('foreignKey', ref);
  const alone = takesValueAlone(fn);
  return (value, record, into) => {
    if (value === null) return false;
    const key = alone ? fn(value) : fn(value, record.key);
    if (key === null || key === undefined) return false;
    into.clear();
    serde.encode(key, into);
    return true;
  };
}
