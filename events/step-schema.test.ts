import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Json } from '../core/ids.ts';
import { levelFaults, parsedSchema } from '../schemas/schemas.ts';
import { STEP_SCHEMA, type StepRecord } from './events.ts';
import { STEP_VERSION } from './step-schema.ts';

/** Schemas that step records were once written by, the newest last, as they were published. */
const FOLDER = join(import.meta.dirname, 'golden');
const golden = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.avsc.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Schema);

/** As deep as is looked at here. */
interface Schema {
  readonly fields: { name: string; type: Json; default?: Json }[];
}
type Branch = { readonly name: string; fields: { name: string; type: Json }[] };

async function faultsOf(schema: Json): Promise<readonly string[]> {
  const typed = await Promise.all(
    golden.map(async (each, i) => ({ version: i + 1, type: await typeOf(each as unknown as Json) })),
  );
  return levelFaults('BACKWARD_TRANSITIVE', await typeOf(schema), typed).map(({ message }) => message);
}

const typeOf = (schema: Json) =>
  parsedSchema({ type: 'AVRO', text: JSON.stringify(schema), references: [] }, async () => assert.fail());

test('S2.1.b: the schema of step records reads what every schema before it wrote', async () => {
  assert.ok(golden.length > 0);
  assert.deepEqual(await faultsOf(STEP_SCHEMA), []);
});

/** Changes that no old record would survive; each has to be seen. */
const CHANGES: { readonly [what: string]: (schema: Schema, events: Branch[]) => void } = {
  'a field takes another type': ({ fields }) => {
    fields.find(({ name }) => name === 'seq')!.type = 'string';
  },
  'a field is called otherwise': ({ fields }) => {
    fields.find(({ name }) => name === 'revision')!.name = 'rev';
  },
  'a field without a default is new': ({ fields }) => {
    fields.push({ name: 'region', type: 'string' });
  },
  'a field that an end was given later has no default': (_, events) => {
    const counts = events.find(({ name }) => name === 'Ended')!.fields.find(({ name }) => name === 'counts')!;
    delete (counts as { default?: Json }).default;
  },
  'a kind of event is gone': (_, events) => {
    events.splice(
      events.findIndex(({ name }) => name === 'Delivered'),
      1,
    );
  },
  'a word is gone': (_, events) => {
    const node = events.find(({ name }) => name === 'Node')!;
    const cause = node.fields.find(({ name }) => name === 'cause')!.type as { symbols: string[] };
    cause.symbols = cause.symbols.filter((word) => word !== 'branch_not_taken');
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`S2.1.b: it is seen when ${what}`, async () => {
    const schema = structuredClone(STEP_SCHEMA) as unknown as Schema;
    const events = (schema.fields.find(({ name }) => name === 'events')!.type as unknown as { items: Branch[] }).items;
    change(schema, events);
    assert.notDeepEqual(await faultsOf(schema as unknown as Json), []);
  });
}

test('S2.1.b: words and kinds of events are added at the end alone, since records hold their places', () => {
  const listsOf = (schema: unknown): Map<string, readonly string[]> => {
    const found = new Map<string, readonly string[]>();
    const look = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { symbols, name } = value as { readonly symbols?: readonly string[]; readonly name?: string };
      if (symbols !== undefined) found.set(`words ${name}`, symbols);
      const isUnion = Array.isArray(value) && value.every((each) => typeof each === 'string' || 'type' in each);
      if (isUnion && !path.endsWith('fields'))
        found.set(
          path,
          value.map((each) => each.name ?? each),
        );
      for (const [key, each] of Object.entries(value)) look(each, `${path}/${key}`);
    };
    look(schema, '');
    return found;
  };
  const now = listsOf(STEP_SCHEMA);
  assert.ok(now.size > 5);
  for (const schema of golden) {
    for (const [path, list] of listsOf(schema)) assert.deepEqual(now.get(path)?.slice(0, list.length), list, path);
  }
});

test('S2.1.b: the kept records hold every kind of event', () => {
  const kept = JSON.parse(readFileSync(join(FOLDER, `steps-${STEP_VERSION}.json`), 'utf8')) as readonly {
    record: StepRecord;
  }[];
  const source = readFileSync(join(import.meta.dirname, 'events.ts'), 'utf8');
  const union = source.slice(source.indexOf('export type StepEvent ='), source.indexOf('export type Mode'));
  const kinds = new Set(
    [...union.matchAll(/readonly type: ('[a-z-]+'(?: \| '[a-z-]+')*)/g)].flatMap(([, words]) => words!.split(' | ')),
  );
  const held = new Set(kept.flatMap(({ record }) => record.events.map(({ type }) => `'${type}'`)));
  assert.ok(kinds.size > 25);
  assert.deepEqual(
    [...kinds].filter((kind) => !held.has(kind)),
    [],
  );
});
