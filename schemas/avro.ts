import { createHash } from 'node:crypto';
import { FlowError } from '../core/errors.ts';
import { cellsOf } from './avro/cells.ts';
import { encoder } from './avro/encoder.ts';
import { type AvroType, schemaJson } from './avro/model.ts';
import { parseSchema } from './avro/parse.ts';
import { referenceDecoder } from './avro/reference.ts';
import { plainReader, viewMaker } from './avro/view.ts';
import type { AvroSchema, FromAvro } from './avro-types.ts';
import { numberCells } from './primitives.ts';
import type { Cells, Serde } from './schemas.ts';

export interface AvroOptions {
  /**
   * The id of this schema in a Confluent schema registry. With it every value carries the registry's header:
   * a zero byte and the id; values with another id are `schema.mismatch`.
   */
  readonly id?: number;
}

const HEADER_BYTES = 5;

/**
 * Values of an Avro schema, written inline so that the type of the values follows from it.
 *
 * Views read fields on demand; a nested record, array or map is read whole, into plain values, when its field is.
 * Unions are bare values: `encode` takes the first branch that fits. A missing field takes its default, a missing
 * nullable one is null. Fails with `schema.invalid` where the schema is not one.
 */
export function avro<const S extends AvroSchema>(schema: S, options: AvroOptions = {}): Serde<FromAvro<S>> {
  return createAvro(schema, options) as unknown as Serde<FromAvro<S>>;
}

interface AvroParts {
  readonly type: AvroType;
  /** The schema as it was written, with all that the checked form leaves out. */
  readonly source: AvroSchema;
  readonly id: number | undefined;
}

const parts = new WeakMap<Serde<never>, AvroParts>();

/** What a serde of `avro` was made from; `undefined` for other serdes. */
export function avroParts<T>(serde: Serde<T>): AvroParts | undefined {
  return parts.get(serde as unknown as Serde<never>);
}

/** A serde of `avro` whose values are bare bodies. */
export function isAvro(serde: Serde<unknown>): boolean {
  const found = avroParts(serde);
  return found !== undefined && found.id === undefined;
}

function createAvro(schema: AvroSchema, { id }: AvroOptions): Serde<unknown> {
  if (id !== undefined && !(Number.isInteger(id) && id >= 0 && id <= 0x7fffffff)) {
    throw new FlowError('schema.invalid', `avro: a schema id is a whole number from 0 to 2^31 - 1, not ${id}`);
  }
  const type = parseSchema(schema);
  const hash = createHash('sha256')
    .update(JSON.stringify(schemaJson(type)))
    .digest('hex')
    .slice(0, 8);
  const name = `avro:${'name' in type ? type.name : type.kind}#${hash}${id === undefined ? '' : `@${id}`}`;
  const serde = avroOfType(type, name, id);
  parts.set(serde as unknown as Serde<never>, { type, source: schema, id });
  return serde;
}

/** The serde of a checked schema, under a name that stands for both. */
export function avroOfType(type: AvroType, name: string, id: number | undefined): Serde<unknown> {
  const read = plainReader(type, name, id);
  const encode = encoder(type, name, id);
  const makeView = viewMaker(type, name, id);
  const isNumber = type.kind === 'int' || type.kind === 'long' || type.kind === 'float' || type.kind === 'double';
  const cells = isNumber ? (numberCells(read as never, encode) as unknown as Cells<unknown>) : cellsOf(type, name, id);
  return {
    name,
    schema: schemaJson(type),
    decode: referenceDecoder(type, name, id === undefined ? 0 : HEADER_BYTES, read),
    read,
    encode,
    view: makeView,
    cells,
  };
}
