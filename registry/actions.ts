import { isFlowError, messageOf } from '../core/errors.ts';
import {
  type AvroType,
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  levelFaults,
  levelFaultText,
  type SchemaReference,
  type SchemaText,
} from '../schemas/schemas.ts';
import type { OwnEntry } from './entries.ts';
import {
  badLevel,
  badSchema,
  badVersion,
  deletedSubject,
  deletedVersion,
  noSubject,
  noVersion,
  RestFault,
  referred,
  undeletedSubject,
  undeletedVersion,
} from './faults.ts';
import { type Subjects, textOf, type Version } from './subjects.ts';

/** What a change comes to: entries to write, and the answer when they are written. */
export interface Decision {
  readonly entries: readonly OwnEntry[];
  readonly answer: unknown;
}

export async function register(subjects: Subjects, subject: string, body: unknown): Promise<Decision> {
  const schema = schemaOf(body);
  const type = await checked(subjects, schema);
  const known = subjects.idOf(schema);
  const all = subjects.versions(subject, true);
  const same = all.find((one) => !one.deleted && one.id === known);
  if (same !== undefined) return { entries: [], answer: { id: same.id } };
  const messages = await faultsAgainst(subjects, subjects.levelOf(subject), type, subjects.versions(subject, false));
  if (messages.length > 0) {
    const level = subjects.levelOf(subject);
    throw new RestFault(
      409,
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", whose rule is ${level}: ${messages.join('; ')}`,
    );
  }
  const id = known ?? subjects.nextId;
  const row = { id, schema: schema.text, references: schema.references, deleted: false };
  const version = (all.at(-1)?.version ?? 0) + 1;
  return { entries: [{ kind: 'schema', subject, version, row }], answer: { id } };
}

/** Why a schema does not go with these versions, in sentences. */
export async function faultsAgainst(
  subjects: Subjects,
  level: CompatibilityLevel,
  type: AvroType,
  versions: readonly Version[],
): Promise<readonly string[]> {
  const typed = await Promise.all(
    versions.map(async (one) => ({ version: one.version, type: await subjects.typeOf(one) })),
  );
  return levelFaults(level, type, typed).map(levelFaultText);
}

export async function checked(subjects: Subjects, schema: SchemaText): Promise<AvroType> {
  try {
    return await subjects.parsed(schema);
  } catch (thrown) {
    if (!isFlowError(thrown, 'schema.invalid')) throw thrown;
    throw badSchema(messageOf(thrown));
  }
}

/** The schema of a request's body. */
export function schemaOf(body: unknown): SchemaText {
  const { schema, schemaType = 'AVRO', references = [] } = (body ?? {}) as { readonly [name: string]: unknown };
  if (typeof schema !== 'string') throw badSchema('the body needs a text `schema`');
  if (schemaType !== 'AVRO') throw badSchema(`the type ${JSON.stringify(schemaType)} is not kept here, only AVRO`);
  if (!Array.isArray(references) || !references.every(isReference)) {
    throw badSchema('each of `references` needs a name, a subject and a version');
  }
  return { type: 'AVRO', text: schema, references };
}

function isReference(value: unknown): value is SchemaReference {
  const { name, subject, version } = (value ?? {}) as { readonly [name: string]: unknown };
  return typeof name === 'string' && typeof subject === 'string' && typeof version === 'number';
}

/** The version that a path names: a number, `latest` or -1. */
export function versionOf(subjects: Subjects, subject: string, named: string, deleted: boolean): Version {
  const isLatest = named === 'latest' || named === '-1';
  if (!isLatest && !/^[1-9]\d{0,9}$/.test(named)) throw badVersion(named);
  if (subjects.versions(subject, true).length === 0) throw noSubject(subject);
  const versions = subjects.versions(subject, deleted);
  if (versions.length === 0) throw noSubject(subject);
  const found = isLatest ? versions.at(-1) : versions.find(({ version }) => version === Number(named));
  if (found === undefined) throw noVersion(named);
  return found;
}

export function deleteSubject(subjects: Subjects, subject: string, permanent: boolean): Decision {
  const all = subjects.versions(subject, true);
  const live = all.filter((one) => !one.deleted);
  if (all.length === 0) throw noSubject(subject);
  if (permanent && live.length > 0) throw undeletedSubject(subject);
  if (!permanent && live.length === 0) throw deletedSubject(subject);
  const level: OwnEntry[] = subjects.level(subject) === undefined ? [] : [{ kind: 'level', subject, level: undefined }];
  const which = permanent ? all : live;
  const entries = which.flatMap((one) => deletion(subjects, one, permanent));
  return { entries: [...entries, ...level], answer: which.map(({ version }) => version) };
}

export function deleteVersion(subjects: Subjects, subject: string, named: string, permanent: boolean): Decision {
  const version = versionOf(subjects, subject, named, permanent || named !== 'latest');
  if (permanent && !version.deleted) throw undeletedVersion(subject, version.version);
  if (!permanent && version.deleted) throw deletedVersion(subject, version.version);
  return { entries: deletion(subjects, version, permanent), answer: version.version };
}

function deletion(subjects: Subjects, one: Version, permanent: boolean): readonly OwnEntry[] {
  const { subject, version, id, schema, references } = one;
  if (subjects.referrers(subject, version).length > 0) throw referred(subject, version);
  if (!permanent) return [{ kind: 'schema', subject, version, row: { id, schema, references, deleted: true } }];
  return [
    { kind: 'ids', given: subjects.nextId - 1 },
    { kind: 'schema', subject, version, row: undefined },
  ];
}

export function setLevel(subject: string | undefined, body: unknown): Decision {
  const wanted = (body as { readonly compatibility?: unknown } | undefined | null)?.compatibility;
  const level = COMPATIBILITY_LEVELS.find((one) => one === String(wanted).toUpperCase());
  if (level === undefined) throw badLevel(wanted, COMPATIBILITY_LEVELS);
  return { entries: [{ kind: 'level', subject, level }], answer: { compatibility: level } };
}

/** A version as requests are answered; the type of the schema is left out, as it is the usual one. */
export function shown({ subject, version, id, schema, references }: Version): object {
  return { subject, version, id, ...referencesOf(references), schema };
}

export function shownText(version: Version): object {
  const { text, references } = textOf(version);
  return { schema: text, ...referencesOf(references) };
}

function referencesOf(references: readonly SchemaReference[]): object {
  return references.length === 0 ? {} : { references };
}
