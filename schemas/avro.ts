import { createHash } from 'node:crypto';
import avsc from 'avsc';
import { FlowError, messageOf } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { AvroSchema, FromAvro } from './avro-types.ts';
import type { Serde } from './schemas.ts';

export interface AvroOptions {
  /** The id in a Confluent schema registry; with it values carry the Confluent header. */
  readonly id?: number;
}

export function avro<const S extends AvroSchema>(schema: S, options: AvroOptions = {}): Serde<FromAvro<S>> {
  return createAvro(schema, options) as unknown as Serde<FromAvro<S>>;
}

function createAvro(schema: AvroSchema, _options: AvroOptions): Serde<unknown> {
  const type = avsc.Type.forSchema(schema as Parameters<typeof avsc.Type.forSchema>[0], { omitRecordMethods: true });
  const hash = createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 8);
  const decode = (bytes: Buffer, start: number, end: number): unknown => {
    try {
      return { ...type.fromBuffer(bytes.subarray(start, end)) };
    } catch (cause) {
      throw new FlowError('schema.mismatch', `avro: ${messageOf(cause)}`);
    }
  };
  return {
    name: `avro:${type.name ?? type.typeName}#${hash}`,
    schema: schema as unknown as Json,
    decode,
    encode(value, out) {
      const encoded = type.toBuffer({ ...(value as object) });
      out.copy(encoded, 0, encoded.length);
    },
    view: () => decode,
    cells: undefined,
  };
}
