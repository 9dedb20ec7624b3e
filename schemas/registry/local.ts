import { parsedSchema } from './parsed-schema.ts';
import type { SchemaRegistry, SchemaText, SchemaVersion } from './registry.ts';

/** Stands for a registry where there is none, in tests of a topology: gives ids, compares nothing, ends with the process. */
export function localRegistry(): SchemaRegistry {
  const ids = new Map<string, number>();
  const texts = new Map<number, SchemaText>();
  const subjects = new Map<string, SchemaVersion[]>();
  return {
    name: 'of this test',
    figures: { requests: 0, failures: 0, cacheHits: 0, outage: undefined },
    async register(subject, schema) {
      const id = ids.get(schema.text) ?? ids.size + 1;
      ids.set(schema.text, id);
      texts.set(id, schema);
      const versions = subjects.get(subject) ?? [];
      subjects.set(subject, versions);
      if (!versions.some((one) => one.id === id)) versions.push({ subject, version: versions.length + 1, id, schema });
      return id;
    },
    lookUp: async (subject, { text }) => subjects.get(subject)?.find(({ schema }) => schema.text === text),
    schema: async (id) => texts.get(id),
    versions: async (subject) => subjects.get(subject),
    level: async () => 'NONE',
    parsed: (schema) => parsedSchema(schema, () => undefined),
    close: () => undefined,
  };
}
