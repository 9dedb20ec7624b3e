import {
  type AvroType,
  type CompatibilityLevel,
  canonicalSchema,
  documentOf,
  parsedSchema,
  type SchemaText,
} from '../schemas/schemas.ts';
import type { Entry, SchemaRow } from './entries.ts';

export interface Version extends SchemaRow {
  readonly subject: string;
  readonly version: number;
}

export const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD';

/** What the topic of a registry says, in memory. */
export class Subjects {
  readonly #subjects = new Map<string, Map<number, Version>>();
  readonly #levels = new Map<string | undefined, CompatibilityLevel>();
  /** Versions by the id of their schema, and ids by what tells schemas apart. */
  readonly #byId = new Map<number, Set<Version>>();
  readonly #ids = new Map<string, number>();
  readonly #types = new Map<number, Promise<AvroType>>();
  #given = 0;

  apply(entry: Entry): void {
    if (entry.kind === 'ids') this.#given = Math.max(this.#given, entry.given);
    else if (entry.kind === 'level') {
      if (entry.level === undefined) this.#levels.delete(entry.subject);
      else this.#levels.set(entry.subject, entry.level);
    } else if (entry.kind === 'schema') this.#put(entry.subject, entry.version, entry.row);
    else {
      for (const { version, ...row } of this.versions(entry.subject, true)) {
        if (version <= entry.version) this.#put(entry.subject, version, { ...row, deleted: true });
      }
    }
  }

  #put(subject: string, version: number, row: SchemaRow | undefined): void {
    const versions = this.#subjects.get(subject) ?? new Map<number, Version>();
    const before = versions.get(version);
    if (before !== undefined) this.#forget(before);
    if (row === undefined) versions.delete(version);
    else {
      const made = { ...row, subject, version };
      versions.set(version, made);
      this.#given = Math.max(this.#given, row.id);
      this.#byId.set(row.id, (this.#byId.get(row.id) ?? new Set()).add(made));
      this.#ids.set(identityOf(textOf(row)), row.id);
    }
    if (versions.size === 0) this.#subjects.delete(subject);
    else this.#subjects.set(subject, versions);
  }

  #forget(version: Version): void {
    const others = this.#byId.get(version.id)!;
    others.delete(version);
    if (others.size > 0) return;
    this.#byId.delete(version.id);
    this.#types.delete(version.id);
    this.#ids.delete(identityOf(textOf(version)));
  }

  names(deleted: boolean): readonly string[] {
    return [...this.#subjects.keys()].filter((name) => this.versions(name, deleted).length > 0).sort();
  }

  /** Versions of a subject, oldest first. */
  versions(subject: string, deleted: boolean): readonly Version[] {
    const all = [...(this.#subjects.get(subject)?.values() ?? [])];
    return all.filter((one) => deleted || !one.deleted).sort((a, b) => a.version - b.version);
  }

  /** Where a schema of this id is used; those that are deleted softly come last. */
  byId(id: number): readonly Version[] {
    return [...(this.#byId.get(id) ?? [])].sort((a, b) => Number(a.deleted) - Number(b.deleted));
  }

  idOf(schema: SchemaText): number | undefined {
    return this.#ids.get(identityOf(schema));
  }

  /** The id of the next schema that is new. */
  get nextId(): number {
    return this.#given + 1;
  }

  level(subject: string | undefined): CompatibilityLevel | undefined {
    return this.#levels.get(subject);
  }

  levelOf(subject: string): CompatibilityLevel {
    return this.level(subject) ?? this.level(undefined) ?? DEFAULT_LEVEL;
  }

  typeOf(version: Version): Promise<AvroType> {
    const known = this.#types.get(version.id);
    if (known !== undefined) return known;
    const type = this.parsed(textOf(version));
    this.#types.set(version.id, type);
    return type;
  }

  /** Fails with `schema.invalid`. */
  parsed(schema: SchemaText): Promise<AvroType> {
    return parsedSchema(schema, ({ subject, version }) => {
      const found = this.#subjects.get(subject)?.get(version);
      return found === undefined ? undefined : textOf(found);
    });
  }

  /** Ids of schemas that refer to a version. */
  referrers(subject: string, version: number): readonly number[] {
    const refers = (one: Version) =>
      one.references.some((each) => each.subject === subject && each.version === version);
    const all = [...this.#subjects.values()].flatMap((versions) => [...versions.values()]);
    return [...new Set(all.filter((one) => !one.deleted && refers(one)).map(({ id }) => id))];
  }
}

export function textOf({ schema, references }: Pick<SchemaRow, 'schema' | 'references'>): SchemaText {
  return { type: 'AVRO', text: schema, references };
}

function identityOf(schema: SchemaText): string {
  const references = schema.references.map(({ name, subject, version }) => [name, subject, version]);
  return `${canonicalSchema(documentOf(schema))} ${JSON.stringify(references)}`;
}
