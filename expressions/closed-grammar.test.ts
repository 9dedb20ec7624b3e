import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { check } from './check.ts';
import { assertClosed } from './closed-grammar.ts';
import { generate } from './generate.ts';
import { parse } from './parser.ts';
import { RANDOM_OPTIONS, RandomExpressions } from './random.fixture.ts';

const PLAIN = 'return function e(s) {\nreturn 1;\n};';
const inFunction = (value: string) => `return function e(s) {\nlet t0;\nreturn ${value};\n};`;
const inMacro = (body: string) => `function m0(s) {\n${body}\n}\nreturn function e(s) {\nreturn m0(s);\n};`;
const LOOP =
  'const l = h.items(0, s["x"]);\nfor (let i = 0; i < l.length; i++) {\nh.burn(0, 1);\nconst v0 = l[i];\n}\nreturn true;';

const ALLOWED = [
  PLAIN,
  inFunction('(t0 = s["x"], typeof t0 === "number" ? t0 : h.wrong(0, t0, "number"))'),
  inMacro(LOOP),
];

/** What a faulty generator could let through. */
const FOREIGN: readonly string[] = [
  '',
  'return 1;',
  'return e;',
  `canary();\n${PLAIN}`,
  `${PLAIN}\ncanary();`,
  'return async function e(s) {\nreturn 1;\n};',
  'return function* e(s) {\nreturn 1;\n};',
  'return (s) => 1;',
  'return function e(s, x) {\nreturn x;\n};',
  'return function e(s = canary()) {\nreturn 1;\n};',
  'return class e {};',
  ...[
    'canary()',
    'process',
    'this',
    'globalThis',
    'eval("1")',
    'new Date()',
    'import("fs")',
    's.x',
    's["constructor"]',
    't0["__proto__"]',
    't0["prototype"]',
    't0[t0]',
    't0[s]',
    's["x"]["y"]',
    's["x"]()',
    't0()',
    't0["x"]()',
    'h["wrong"](0)',
    'h.constructor()',
    'h.toString()',
    'h.nothing()',
    'h',
    'h.wrong',
    'c',
    'c["x"]',
    'c[0]()',
    'l[0]',
    'h.list(...s)',
    '[1]',
    '{}',
    '({ x: 1 })',
    '`text`',
    '/x/',
    '1n',
    's?.x',
    'h?.list(0)',
    'h.list?.(0)',
    't0 += 1',
    's = 1',
    'h = 1',
    's["x"] = 1',
    't0["x"] = 1',
    't0++',
    'delete s["x"]',
    'void 0',
    '1 == 1',
    '1 in s',
    '1 instanceof s',
    '1 ** 2',
    '1 << 2',
    'null ?? 1',
    'function () {}',
    '() => 1',
    'yield',
    'await 1',
    'm0(s), canary',
    'undefined()',
    'arguments',
    'new.target',
    'x => x',
  ].map(inFunction),
  ...[
    'while (true) {}\nreturn 1;',
    'for (;;) {}\nreturn 1;',
    'const l = s["x"];\nfor (const x of l) {}\nreturn 1;',
    LOOP.replace('h.burn(0, 1);\n', ''),
    LOOP.replace('h.burn(0, 1)', 'h.burn(0, -1)'),
    LOOP.replace('h.burn(0, 1)', 'h.burn(0, 0)'),
    LOOP.replace('h.burn(0, 1)', 'h.burn(0, s)'),
    LOOP.replace('h.burn(0, 1)', 'h.burn(0)'),
    LOOP.replace('i++', 'i--'),
    LOOP.replace('i < l.length', 'i <= l.length'),
    LOOP.replace('i < l.length', 'true'),
    LOOP.replace('let i = 0', 'var i = 0'),
    LOOP.replace('const v0 = l[i];', 'i = 0;'),
    'return m0(s);',
    'return m1(s);',
    'try { return 1; } catch {}',
    'throw 1;',
    'debugger;',
    'with (s) { return 1; }',
    'if (true) return 1; else return 2;',
    'label: return 1;',
    'canary();\nreturn 1;',
    'var x;\nreturn 1;',
    'let x;\nreturn 1;',
    'const { x } = s;\nreturn 1;',
    'return;',
    'function m1(s) { return 1; }\nreturn 1;',
  ].map(inMacro),
];

test('code of any other form is refused', () => {
  for (const code of ALLOWED) assertClosed(code);
  for (const code of FOREIGN) {
    assert.throws(
      () => assertClosed(code),
      (thrown) => isFlowError(thrown, 'expression.unsafe'),
      code,
    );
  }
});

test('code that the generator makes passes, and hardly any change to it does', (t) => {
  const random = new RandomExpressions(seededRandom(5));
  const changes: readonly (readonly [from: RegExp, to: string])[] = [
    [/h\.\w+\(/, 'canary('],
    [/h\.(\w+)\(/, 'h.x$1('],
    [/return (?=[^f])/, 'return this, '],
    [/\["\w+"\]/, '["constructor"]'],
    [/h\.burn\(\d+, \d+\);/, ''],
    [/\bs\b(?=,|\[)/, 'globalThis'],
    [/function e\(s\)/, 'async function e(s)'],
  ];
  let made = 0;
  let changed = 0;
  for (let i = 0; i < 400; i++) {
    const source = random.source();
    let tree: ReturnType<typeof parse>;
    try {
      tree = parse(source);
    } catch {
      continue;
    }
    const checked = check(tree, RANDOM_OPTIONS);
    if (!('root' in checked)) continue;
    const { code } = generate(checked);
    assertClosed(code);
    made++;
    for (const [from, to] of changes) {
      const other = code.replace(from, to);
      if (other === code) continue;
      changed++;
      assert.throws(
        () => assertClosed(other),
        (thrown) => isFlowError(thrown, 'expression.unsafe'),
        other,
      );
    }
  }
  t.diagnostic(JSON.stringify({ made, changed }));
  assert.ok(made > 100 && changed > 300);
});
