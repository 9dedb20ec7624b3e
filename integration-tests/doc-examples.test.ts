import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { OPERATORS } from '../operators/operators.ts';
import { READY } from '../topology/ready/table.ts';

const root = new URL('..', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const listed = (folder: string) => readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.md'));

/** Documents of which every TypeScript block is a program that must run. */
const DOCUMENTS = [
  'docs/dead-letters.md',
  'docs/evolution.md',
  'docs/exports.md',
  'docs/expressions.md',
  'docs/queries.md',
  'docs/schemas.md',
  'docs/testing.md',
  'docs/time.md',
  'docs/tutorial.md',
  'docs/workflows/README.md',
  'docs/workflows/data-plane.md',
  'docs/workflows/documents.md',
  'docs/workflows/events.md',
  'docs/workflows/schedules.md',
  'docs/workflows/sessions.md',
  'docs/workflows/streaming.md',
  'docs/coming-from-kafka-streams.md',
  ...listed('docs/operators')
    .filter((name) => name !== 'README.md')
    .map((name) => `docs/operators/${name}`),
];

/** Kinds that have no operator of their own, and are told where their call is. */
const SOURCES = ['source', 'read'];
const TOLD_ELSEWHERE: { readonly [kind: string]: string } = {
  arm: 'branch',
  answerForeign: 'joinForeign',
  subscribeForeign: 'joinForeign',
};

const failures = new Map<string, string>();
let folder = '';

/** All examples in one process, one after the other. */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nodeflow-docs-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const names: string[] = [];
  for (const document of DOCUMENTS) {
    for (const [i, code] of blocksOf(document).entries()) {
      const name = `${document.replaceAll('/', '.')}.${i}.ts`;
      names.push(name);
      writeFileSync(join(folder, name), local(code));
    }
  }
  const main = names.map(
    (name) => `await import('./${name}').catch((thrown) => console.log(JSON.stringify(['${name}', String(thrown)])));`,
  );
  writeFileSync(join(folder, 'main.mjs'), main.join('\n'));
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')], { maxBuffer: 1 << 24 });
  for (const line of stdout.split('\n').filter((each) => each.startsWith('["'))) {
    const [name, why] = JSON.parse(line) as [string, string];
    failures.set(name, why);
  }
});

after(() => rmSync(folder, { recursive: true, force: true }));

function blocksOf(document: string): readonly string[] {
  return [...read(document).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
}

/** The package by its files; `assert` is there without being named. */
function local(code: string): string {
  const own = code
    .replaceAll("'@nodeflow/engine/testing'", `'${new URL('testing.ts', root).href}'`)
    .replaceAll("'@nodeflow/engine/workflows'", `'${new URL('workflows.ts', root).href}'`)
    .replaceAll("'@nodeflow/engine'", `'${new URL('index.ts', root).href}'`);
  return /^import assert /m.test(own) ? own : `import assert from 'node:assert/strict';\n${own}`;
}

for (const document of DOCUMENTS) {
  test(`the examples of ${document} run`, () => {
    const blocks = blocksOf(document);
    assert.ok(blocks.length > 0, `${document} has an example`);
    const failed = [...failures].filter(([name]) => name.startsWith(`${document.replaceAll('/', '.')}.`));
    assert.deepEqual(failed, []);
  });
}

test('every operator has a document, and the index names it', () => {
  const index = read('docs/operators/README.md');
  const files = listed('docs/operators');
  const calls = [...Object.keys(OPERATORS), ...Object.keys(READY), ...SOURCES];
  const wanted = calls.filter((kind) => !(kind in TOLD_ELSEWHERE));
  assert.deepEqual(
    wanted.filter((kind) => !files.includes(`${kind}.md`)),
    [],
    'operators without a document',
  );
  assert.deepEqual(
    files.filter((name) => name !== 'README.md' && !index.includes(`](${name})`)),
    [],
    'documents that the index does not name',
  );
});

const fileOf = (call: string) => call.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Operators of several kinds that do the same. */
const SHARED: { readonly [kind: string]: string } = {
  late: 'pass',
  merge: 'pass',
  suppress: 'pass',
  toStream: 'pass',
  table: 'store-rows',
  toTable: 'store-rows',
};

test('every operator has a file and a test of its own', () => {
  const files = readdirSync(new URL('operators', root));
  const kinds = Object.keys(OPERATORS).filter((kind) => !(kind in TOLD_ELSEWHERE));
  const wanted = kinds.flatMap((kind) => [`${SHARED[kind] ?? fileOf(kind)}.ts`, `${fileOf(kind)}.test.ts`]);
  assert.deepEqual(
    wanted.filter((name) => !files.includes(name)),
    [],
  );
});

test('every ready aggregate has a file and a test of its own', () => {
  const files = readdirSync(new URL('topology/ready', root));
  const wanted = Object.keys(READY).flatMap((call) => [`${fileOf(call)}.ts`, `${fileOf(call)}.test.ts`]);
  assert.deepEqual(
    wanted.filter((name) => !files.includes(name)),
    [],
  );
});
