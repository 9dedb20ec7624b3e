import { FlowError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { bytes, double, int32, int64, json, type Serde, string } from '../schemas/schemas.ts';

const SERDES: { readonly [name: string]: () => Serde<unknown> } = { bytes, double, int32, int64, json, string };

/** A serde by the name that plans print. Fails with `serde.unknown`, listing those there are. */
export function serdeByName(name: string): Serde<unknown> {
  const make = Object.hasOwn(SERDES, name) ? SERDES[name] : undefined;
  if (make !== undefined) return make();
  const names = Object.keys(SERDES).join(', ');
  throw new FlowError(
    'serde.unknown',
    `there is no serde ${name}${didYouMean(name, Object.keys(SERDES))}; there are ${names}, and those of a topology by --topology <file>`,
  );
}
