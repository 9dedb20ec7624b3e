// biome-ignore-all lint/suspicious/noTemplateCurlyInString: sources with templates are planted as strings
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHouse } from './check.ts';
import { MAX_FILE_LINES } from './rules.ts';

/** The rules broken by a small house; files that are only imported are given as empty ones. */
function rulesBroken(files: Record<string, string>, alsoThere: readonly string[] = []): readonly string[] {
  const tree = new Map(Object.entries(files));
  for (const file of alsoThere) if (!tree.has(file)) tree.set(file, 'export {};\n');
  return checkHouse(tree).map((fault) => `${fault.rule} ${fault.file}:${fault.line}`);
}

const PLANTED: readonly (readonly [name: string, file: string, source: string, expected: string, there?: string[]])[] =
  [
    [
      'an upward import',
      'log/a.ts',
      "import { x } from '../runtime/runtime.ts';",
      'storey log/a.ts:1',
      ['runtime/runtime.ts'],
    ],
    [
      'an import across a storey',
      'state/a.ts',
      "import { x } from '../log/log.ts';",
      'storey state/a.ts:1',
      ['log/log.ts'],
    ],
    [
      'an arrow taken backwards',
      'topology/a.ts',
      "import { x } from '../operators/operators.ts';",
      'storey topology/a.ts:1',
      ['operators/operators.ts'],
    ],
    [
      'an upward type import',
      'core/a.ts',
      "import type { X } from '../log/log.ts';",
      'storey core/a.ts:1',
      ['log/log.ts'],
    ],
    ['an upward re-export', 'core/a.ts', "export { x } from '../log/log.ts';", 'storey core/a.ts:1', ['log/log.ts']],
    [
      'an upward star re-export',
      'core/a.ts',
      "export * as log from '../log/log.ts';",
      'storey core/a.ts:1',
      ['log/log.ts'],
    ],
    [
      'an upward type in an expression',
      'core/a.ts',
      "type X = import('../log/log.ts').Log;",
      'storey core/a.ts:1',
      ['log/log.ts'],
    ],
    [
      'an upward import when running',
      'core/a.ts',
      "\nconst x = await import('../log/log.ts');",
      'storey core/a.ts:2',
      ['log/log.ts'],
    ],
    [
      'an upward worker file',
      'core/a.ts',
      "const f = new URL('../log/log.ts', import.meta.url);",
      'storey core/a.ts:1',
      ['log/log.ts'],
    ],
    ['an import of the root', 'cli/a.ts', "import { x } from '../index.ts';", 'storey cli/a.ts:1', ['index.ts']],
    [
      'an import past a door',
      'runtime/a.ts',
      "import { x } from '../log/file/file.ts';",
      'door runtime/a.ts:1',
      ['log/file/file.ts'],
    ],
    [
      'an example past the root',
      'examples/a/a.ts',
      "import { x } from '../../log/log.ts';",
      'door examples/a/a.ts:1',
      ['log/log.ts'],
    ],
    ['a package outside its home', 'runtime/a.ts', "import avsc from 'avsc';", 'third party runtime/a.ts:1'],
    ['a package outside its folder', 'state/a.ts', "import rocks from 'rocksdb-native';", 'third party state/a.ts:1'],
    ['a subpath of a package', 'runtime/a.ts', "const p = require('pino/file');", 'third party runtime/a.ts:1'],
    ['a scoped package', 'core/a.ts', "export * from '@node-rs/crc32/x';", 'third party core/a.ts:1'],
    ['an unknown package', 'log/a.ts', "import 'left-pad';", 'third party log/a.ts:1'],
    ['a test tool in the product', 'log/a.ts', "import fc from 'fast-check';", 'third party log/a.ts:1'],
    ['a file that is too long', 'log/a.ts', 'x;\n'.repeat(MAX_FILE_LINES + 1), `length log/a.ts:${MAX_FILE_LINES + 1}`],
    ['an import of a test', 'log/a.ts', "import { x } from './b.test.ts';", 'test log/a.ts:1', ['log/b.test.ts']],
    ['an import of nothing', 'log/a.ts', "import { x } from './gone.ts';", 'missing log/a.ts:1'],
    ['a folder that is no room', 'utils/a.ts', 'export {};', 'room utils/a.ts:1'],
    ['a computed import', 'log/a.ts', 'await import(name);', 'computed import log/a.ts:1'],
    ['an enum', 'log/a.ts', 'const enum Kind { a, b }', 'enum log/a.ts:1'],
    ['a namespace', 'log/a.ts', 'namespace Kinds { }', 'namespace log/a.ts:1'],
    ['a default export', 'log/a.ts', 'export default 1;', 'default export log/a.ts:1'],
    ['a renamed default export', 'log/a.ts', 'export { x as default };', 'default export log/a.ts:1'],
    ['any', 'log/a.ts', 'const x: any = 1;', 'any log/a.ts:1'],
    ['any as an argument', 'log/a.ts', 'const x: Map<string, any> = m;', 'any log/a.ts:1'],
    ['the wall clock', 'log/a.ts', 'const t = Date.now();', 'wall clock log/a.ts:1'],
    ['a date of now', 'log/a.ts', 'const t = new Date();', 'wall clock log/a.ts:1'],
    ['the process clock', 'log/a.ts', 'const t = performance.now();', 'wall clock log/a.ts:1'],
    ['a timer', 'log/a.ts', 'setTimeout(go, 5);', 'timer log/a.ts:1'],
    ['a timer in a template', 'log/a.ts', 'const a = `x ${setTimeout(go, 5)} y`;', 'timer log/a.ts:1'],
    ['an imported timer', 'log/a.ts', "import { x } from 'node:timers/promises';", 'timer log/a.ts:1'],
    ['chance', 'log/a.ts', 'const r = Math.random();', 'chance log/a.ts:1'],
    ['chance in a test', 'log/a.test.ts', 'const r = Math.random();', 'chance log/a.test.ts:1'],
    ['a promise in an operator', 'operators/a.ts', 'const p = Promise.resolve();', 'promise operators/a.ts:1'],
    ['an async operator', 'operators/a.ts', 'async function f() {}', 'promise operators/a.ts:1'],
    ['a skipped test', 'log/a.test.ts', "test.skip('x', () => {});", 'skipped test log/a.test.ts:1'],
    ['an unfinished place', 'log/a.ts', '// TODO: later', 'unfinished log/a.ts:1'],
  ];

for (const [name, file, source, expected, there] of PLANTED) {
  test(`finds ${name}`, () => assert.deepEqual(rulesBroken({ [file]: source }, there), [expected]));
}

test('finds a circle between rooms and between their files', () => {
  const files = {
    'operators/operators.ts': "import { x } from '../topology/topology.ts';",
    'topology/topology.ts': "import type { y } from '../operators/operators.ts';",
  };
  const broken = rulesBroken(files);
  assert.equal(broken.filter((fault) => fault.startsWith('circle')).length, 2);
  assert.ok(broken.includes('storey topology/topology.ts:1'));
});

test('finds a circle of values inside a room, and lets types and the contract be referred to', () => {
  assert.deepEqual(
    rulesBroken({ 'log/a.ts': "import './b.ts';", 'log/b.ts': "import './c.ts';", 'log/c.ts': "import './a.ts';" }),
    ['circle log/a.ts:1'],
  );
  assert.deepEqual(
    rulesBroken({ 'log/a.ts': "export { b } from './b.ts';", 'log/b.ts': "import type { A } from './a.ts';" }),
    [],
  );
  assert.deepEqual(
    rulesBroken({ 'log/log.ts': "export { b } from './b.ts';", 'log/b.ts': "import { A } from './log.ts';" }),
    [],
  );
});

test('lets pass what the rules allow', () => {
  const there = [
    'log/log.ts',
    'log/batch.ts',
    'topology/plan.ts',
    'core/bytes.ts',
    'index.ts',
    'log/file/file.ts',
    'runtime/runtime.ts',
  ];
  const files = {
    'operators/a.ts': "import type { Plan } from '../topology/plan.ts';\nimport '../core/bytes.ts';",
    'runtime/a.ts': "import '../log/batch.ts';\nexport type { Log } from '../log/log.ts';",
    'cli/wire.ts': "import '../log/file/file.ts';",
    'examples/a.ts': "import '../index.ts';",
    'log/a.test.ts': "import fc from 'fast-check';\nimport '../runtime/runtime.ts';",
    'schemas/a.ts': "import avsc from 'avsc';\nimport { readFile } from 'node:fs/promises';",
    'core/clock.ts': 'export const now = () => Date.now();',
    'topology/a.ts': 'export type X = any;',
  };
  assert.deepEqual(rulesBroken(files, there), []);
});

test('is not misled by strings, comments, regular expressions and names', () => {
  const source = [
    "const a = \"import x from 'left-pad'\"; // import 'left-pad'; Date.now()",
    '/* export default any; enum A { } */',
    "const re = /import 'x' from \\/ ['\"`]/; const b = 1 / 2 / 3;",
    'const t = `import "y" ${ { a: `${a} enum B {` } } setTimeout(`;',
    'const c = Promise.any([]); clock.setTimeout; import.meta.url; const d = { any: 1, enum: 2, default: 3 };',
    'const e = new Date(5); const from = 1; export { from }; export type F = string;',
  ].join('\n');
  assert.deepEqual(rulesBroken({ 'log/a.ts': source }), []);
});
