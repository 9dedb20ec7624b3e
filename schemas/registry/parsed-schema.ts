import { FlowError } from '../../core/errors.ts';
import type { AvroType } from '../avro/model.ts';
import { parseSchema } from '../avro/parse.ts';
import type { SchemaReference, SchemaText } from './registry.ts';

/** How deep schemas may refer to schemas, and to how many in all. */
const MAX_REFERENCES = 200;

/** Reads a schema with those that it refers to; `find` answers their text. Fails with `schema.invalid`. */
export async function parsedSchema(
  schema: SchemaText,
  find: (reference: SchemaReference) => SchemaText | undefined | Promise<SchemaText | undefined>,
): Promise<AvroType> {
  const before: unknown[] = [];
  const seen = new Set<string>();
  const collect = async ({ references }: SchemaText): Promise<void> => {
    for (const reference of references) {
      const key = JSON.stringify([reference.subject, reference.version]);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > MAX_REFERENCES) {
        throw new FlowError(
          'schema.invalid',
          `a schema refers to more than ${MAX_REFERENCES} others; join some of them`,
        );
      }
      const found = await find(reference);
      if (found === undefined) {
        const where = `version ${reference.version} of subject ${reference.subject}`;
        throw new FlowError('schema.invalid', `a schema refers to ${where}, which is not there; register that first`);
      }
      await collect(found);
      before.push(documentOf(found));
    }
  };
  await collect(schema);
  return parseSchema(documentOf(schema), before);
}

/** The JSON of an Avro schema. */
export function documentOf({ type, text }: SchemaText): unknown {
  if (type !== 'AVRO') {
    throw new FlowError('schema.invalid', `a schema is of type ${type}, and only AVRO is read; use an Avro schema`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // registries also take the bare name of a primitive
    return text;
  }
}
