import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FlowError, messageOf } from '../core/errors.ts';
import { type AvroSchema, avro } from '../schemas/schemas.ts';
import { literalOf } from './literal.ts';
import { readJsonFile } from './read-json-file.ts';

const MARK = 'by `nodeflow schemas generate`';

export interface GeneratedSchemas {
  /** The schemas, from the folder. */
  readonly files: readonly string[];
  /** Modules that were, or would be, written or removed. */
  readonly changed: readonly string[];
}

/** Writes `order.ts` beside `order.avsc`, and removes what was written for schemas that are gone. */
export function generateSchemas(folder: string, { check }: { readonly check: boolean }): GeneratedSchemas {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new FlowError('file.missing', `there is no folder ${folder}; check the path`);
  }
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.includes('node_modules'),
  );
  const files = all.filter((path) => path.endsWith('.avsc')).sort();
  if (files.length === 0) throw new FlowError('file.missing', `there is no .avsc file in ${folder}; check the path`);
  // everything is read before anything is written
  const modules = files.map((file) => ({ target: file.replace(/\.avsc$/, '.ts'), text: moduleOf(join(folder, file)) }));
  const targets = new Set(modules.map(({ target }) => target));
  const stale = all.filter((path) => path.endsWith('.ts') && !targets.has(path) && isGenerated(join(folder, path)));
  const written = modules.filter(({ target, text }) => textIn(join(folder, target)) !== text);
  for (const { target } of written) refuseForeign(join(folder, target));
  if (!check) {
    for (const { target, text } of written) writeFileSync(join(folder, target), text);
    for (const path of stale) rmSync(join(folder, path));
  }
  return { files, changed: [...written.map(({ target }) => target), ...stale].sort() };
}

function moduleOf(file: string): string {
  const schema = schemaIn(file);
  const type = basename((schema as { readonly name: string }).name.replaceAll('.', '/'));
  const value = `${type[0]!.toLowerCase()}${type.slice(1)}`;
  return [
    `// Written from ${basename(file)} ${MARK}: change that file, then run it again.`,
    "import { avro, type FromAvro } from '@nodeflow/engine';",
    '',
    `const schema = ${literalOf(schema)} as const;`,
    '',
    `export const ${value === type ? `${value}Serde` : value} = avro(schema);`,
    `export type ${type} = FromAvro<typeof schema>;`,
    '',
  ].join('\n');
}

/** A checked schema that has a name. */
function schemaIn(file: string): AvroSchema {
  const schema = readJsonFile(file) as AvroSchema;
  try {
    avro(schema);
  } catch (thrown) {
    throw new FlowError('schema.invalid', `${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
  const isNamed = typeof schema === 'object' && 'name' in schema;
  if (isNamed) return schema;
  throw new FlowError('schema.invalid', `${file}: its schema has no name to call its type by; make it a record`);
}

function textIn(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function isGenerated(path: string): boolean {
  return textIn(path)?.split('\n', 1)[0]?.includes(MARK) === true;
}

function refuseForeign(path: string): void {
  if (!existsSync(path) || isGenerated(path)) return;
  throw new FlowError('file.broken', `${path} was not written ${MARK}, and would be lost; move it, or the schema`);
}
