import { COMPATIBILITY_LEVELS, type CompatibilityLevel, type SchemaReference } from '../schemas/schemas.ts';

/** One record of the registry's topic, read or to be written. The newest of a key counts. */
export type Entry =
  | { readonly kind: 'schema'; readonly subject: string; readonly version: number; readonly row: SchemaRow | undefined }
  | { readonly kind: 'level'; readonly subject: string | undefined; readonly level: CompatibilityLevel | undefined }
  /** All versions up to this one are deleted, softly. */
  | { readonly kind: 'deleted-subject'; readonly subject: string; readonly version: number }
  /** Ids up to this one were given, whatever is left of them. */
  | { readonly kind: 'ids'; readonly given: number };

export interface SchemaRow {
  readonly id: number;
  readonly schema: string;
  readonly references: readonly SchemaReference[];
  readonly deleted: boolean;
}

type Dict = { readonly [name: string]: unknown };

/** What others write and we only read. */
type Foreign = Extract<Entry, { readonly kind: 'deleted-subject' }>;
export type OwnEntry = Exclude<Entry, Foreign>;

/** As Confluent's registry writes its records, but for `ids`, which others pass over. */
export function encodeEntry(entry: OwnEntry): { readonly key: string; readonly value: string | null } {
  switch (entry.kind) {
    case 'schema': {
      const { subject, version, row } = entry;
      const key = JSON.stringify({ keytype: 'SCHEMA', subject, version, magic: 1 });
      if (row === undefined) return { key, value: null };
      const references = row.references.length === 0 ? {} : { references: row.references };
      const { id, schema, deleted } = row;
      return { key, value: JSON.stringify({ subject, version, id, ...references, schema, deleted }) };
    }
    case 'level': {
      const key = JSON.stringify({ keytype: 'CONFIG', subject: entry.subject ?? null, magic: 0 });
      return { key, value: entry.level === undefined ? null : JSON.stringify({ compatibilityLevel: entry.level }) };
    }
    case 'ids':
      return { key: JSON.stringify({ keytype: 'NODEFLOW_IDS' }), value: JSON.stringify({ given: entry.given }) };
  }
}

/** `undefined` for records of other makes that say nothing to us. */
export function decodeEntry(keyText: string, valueText: string | null): Entry | undefined {
  const key = dictOf(keyText);
  const value = valueText === null ? undefined : dictOf(valueText);
  const { keytype, subject, version } = key ?? {};
  if (keytype === 'SCHEMA' && typeof subject === 'string' && typeof version === 'number') {
    return { kind: 'schema', subject, version, row: value === undefined ? undefined : rowOf(value) };
  }
  if (keytype === 'CONFIG') {
    const level = COMPATIBILITY_LEVELS.find((one) => one === value?.['compatibilityLevel']);
    return { kind: 'level', subject: typeof subject === 'string' ? subject : undefined, level };
  }
  if (keytype === 'DELETE_SUBJECT' && typeof subject === 'string' && typeof value?.['version'] === 'number') {
    return { kind: 'deleted-subject', subject, version: value['version'] };
  }
  if (keytype === 'NODEFLOW_IDS' && typeof value?.['given'] === 'number') return { kind: 'ids', given: value['given'] };
  return undefined;
}

function rowOf({ id, schema, references, deleted, schemaType }: Dict): SchemaRow | undefined {
  if (typeof id !== 'number' || typeof schema !== 'string') return undefined;
  if (schemaType !== undefined && schemaType !== 'AVRO') return undefined;
  return {
    id,
    schema,
    references: Array.isArray(references) ? (references as SchemaReference[]) : [],
    deleted: deleted === true,
  };
}

function dictOf(text: string): Dict | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Dict) : undefined;
  } catch {
    return undefined;
  }
}
