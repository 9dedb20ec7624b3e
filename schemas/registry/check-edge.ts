import { schemaJson } from '../avro/model.ts';
import { unreadable } from '../avro/resolution.ts';
import { levelFaults, levelFaultText } from './compatibility.ts';
import type { RegisteredFormat, SchemaRegistry, SchemaVersion } from './registry.ts';

/** A topic as it meets a schema of the registry. */
export interface SchemaEdge {
  readonly topic: string;
  readonly side: 'key' | 'value';
  /** The plan writes the topic. */
  readonly written: boolean;
  /** The plan reads it. */
  readonly read: boolean;
}

export interface EdgeFault {
  /** It runs, and some values of the topic cannot be read. */
  readonly severity: 'refuse' | 'warn';
  readonly message: string;
}

export interface CheckedEdge {
  readonly subject: string;
  readonly faults: readonly EdgeFault[];
  readonly versions: readonly SchemaVersion[];
  /** The version that is this schema, where there is one. */
  readonly known: SchemaVersion | undefined;
}

/** Compares a schema with the subject of a topic; changes nothing. */
export async function checkEdge(
  registry: SchemaRegistry,
  format: RegisteredFormat<unknown>,
  edge: SchemaEdge,
): Promise<CheckedEdge> {
  const subject = format.subject(edge.topic, edge.side);
  const versions = (await registry.versions(subject)) ?? [];
  const known = versions.length === 0 ? undefined : await versionOf(registry, format, subject, versions, edge);
  const where = `${edge.side} of topic ${edge.topic}, subject ${subject} in the registry ${registry.name}`;
  const faults: EdgeFault[] = [];
  const refuse = (words: string) => faults.push({ severity: 'refuse', message: `${where}: ${words}` });
  if (edge.written && known === undefined) {
    if (!format.register) refuse('the schema is not registered; register it, or leave `register` on');
    else for (const words of await refusals(registry, format, subject, versions)) refuse(words);
  }
  if (edge.read) faults.push(...(await readFaults(registry, format, versions, where)));
  return { subject, faults, versions, known };
}

/**
 * The version that is this schema. Where the plan only reads, one that differs in nothing but documentation does too: it
 * is not to be registered, and its values are then the plan's own.
 */
async function versionOf(
  registry: SchemaRegistry,
  format: RegisteredFormat<unknown>,
  subject: string,
  versions: readonly SchemaVersion[],
  edge: SchemaEdge,
): Promise<SchemaVersion | undefined> {
  const found = await registry.lookUp(subject, format.schema);
  if (found !== undefined || edge.written) return found;
  const own = JSON.stringify(schemaJson(format.avro));
  for (const version of versions.toReversed()) {
    if (JSON.stringify(schemaJson(await registry.parsed(version.schema))) === own) return version;
  }
  return undefined;
}

/** Why the subject's rule does not let the schema in. */
async function refusals(
  registry: SchemaRegistry,
  format: RegisteredFormat<unknown>,
  subject: string,
  versions: readonly SchemaVersion[],
): Promise<readonly string[]> {
  if (versions.length === 0) return [];
  const level = await registry.level(subject);
  const typed = await Promise.all(
    versions.map(async ({ version, schema }) => ({ version, type: await registry.parsed(schema) })),
  );
  return levelFaults(level, format.avro, typed).map(
    (fault) => `${levelFaultText(fault)}; change that field, or the rule of the subject, which is ${level}`,
  );
}

/** The newest version has to be readable; of older ones there may be values left in the topic. */
async function readFaults(
  registry: SchemaRegistry,
  format: RegisteredFormat<unknown>,
  versions: readonly SchemaVersion[],
  where: string,
): Promise<readonly EdgeFault[]> {
  const faults: EdgeFault[] = [];
  for (const { version, schema } of versions) {
    const [fault] = unreadable(await registry.parsed(schema), format.avro);
    if (fault === undefined) continue;
    const isLast = version === versions.at(-1)!.version;
    const words = `the plan cannot read what version ${version} wrote: ${fault.message}`;
    const cure = isLast ? 'change that field of the plan' : 'such values go as onUndecodable says';
    faults.push({ severity: isLast ? 'refuse' : 'warn', message: `${where}: ${words}; ${cure}` });
  }
  return faults;
}
