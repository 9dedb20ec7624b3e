import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FlowError } from '../core/errors.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { type CompileOptions, compileExpression } from './expressions.ts';
import { ATTEMPTS } from './hostile.fixture.ts';
import { hostileScope } from './hostile-scope.fixture.ts';
import { RANDOM_OPTIONS, RandomExpressions } from './random.fixture.ts';

/** Milliseconds for random cases, and their seed: others by these variables. */
const BUDGET = Number(process.env['NODEFLOW_FUZZ_MS'] ?? 1000);
const SEED = Number(process.env['NODEFLOW_FUZZ_SEED'] ?? 20261129);
/** What one attempt may take at most of the processor, on a slow machine too. */
const LIMIT_MS = 2000;

const OPTIONS: CompileOptions = { scope: { any: 'dyn' } };
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-canary-'));
const home = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

let sung = 0;
const canary = () => {
  sung++;
};
Object.defineProperty(globalThis, 'canary', { value: canary, configurable: true, enumerable: false });

/** All that a way out could leave a trace in. */
const WATCHED: readonly object[] = [
  globalThis,
  ...[
    Object,
    Array,
    String,
    Number,
    Boolean,
    Function,
    Symbol,
    RegExp,
    Error,
    Promise,
    Map,
    WeakMap,
    Uint8Array,
  ].flatMap((one) => [one, one.prototype as object]),
  process,
  process.env,
  JSON,
  Math,
  Reflect,
];
/** Node adds symbols of its own to the global object when it feels like it. */
const names = (of: object) =>
  (of === globalThis ? Object.getOwnPropertyNames(of) : Reflect.ownKeys(of)).map(String).join();
const before = WATCHED.map(names);
const values = WATCHED.map((of) =>
  Reflect.ownKeys(of).map((name) => Object.getOwnPropertyDescriptor(of, name)?.value as unknown),
);

function assertUntouched(what: string, thorough = true): void {
  assert.equal(sung, 0, `${what}: the canary sang`);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined, what);
  WATCHED.forEach((of, i) => {
    assert.ok(of === process.env || names(of) === before[i], `${what}: names were added`);
    if (!thorough || of === globalThis || of === process || of === process.env) return;
    const now = Reflect.ownKeys(of).map((name) => Object.getOwnPropertyDescriptor(of, name)?.value as unknown);
    now.forEach((value, k) => {
      assert.ok(Object.is(value, values[i]![k]), what);
    });
  });
  assert.deepEqual(readdirSync(folder), [], what);
}

function shown(source: string): string {
  return source.length > 100 ? `${source.slice(0, 60)}... of ${source.length}` : source;
}

function evaluated(run: () => unknown): unknown {
  try {
    return { answer: run() };
  } catch (thrown) {
    assert.ok(thrown instanceof FlowError, `${String(thrown)}: not an error of ours`);
    assert.equal(thrown.code, 'expression.failed');
    return { failure: thrown.message };
  }
}

test('attempts to escape and to burn are refused or bounded, and leave no trace', (t) => {
  const scope = hostileScope(canary);
  let slowest = { ms: 0, source: '' };
  for (const { source, ends } of ATTEMPTS) {
    const start = process.cpuUsage();
    const { expression, faults } = compileExpression(source, OPTIONS);
    assert.equal(expression === undefined ? 'refused' : 'runs', ends, `${shown(source)}: ${JSON.stringify(faults)}`);
    const compiled = expression && evaluated(() => expression.evaluate(scope));
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    if (took > slowest.ms) slowest = { ms: took, source: shown(source) };
    assert.ok(took < LIMIT_MS, `${shown(source)} took ${took} ms`);
    if (expression !== undefined) {
      const walked = evaluated(() => expression.interpret(scope));
      assert.deepEqual(Object.keys(compiled as object), Object.keys(walked as object), shown(source));
      assert.equal((compiled as { failure?: string }).failure, (walked as { failure?: string }).failure, shown(source));
    }
    assertUntouched(shown(source));
  }
  t.diagnostic(`${ATTEMPTS.length} attempts, the slowest ${JSON.stringify(slowest)}`);
});

test('nothing that is built is too large to be written out', () => {
  const scope = hostileScope(canary);
  for (const { source, ends } of ATTEMPTS) {
    if (ends === 'refused' || !source.includes('map(')) continue;
    const outcome = evaluated(() => compileExpression(source, OPTIONS).expression!.evaluate(scope)) as {
      answer?: unknown;
    };
    const text = JSON.stringify(outcome.answer, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)) ?? '';
    assert.ok(text.length < 20_000_000, `${shown(source)}: ${text.length}`);
  }
});

const TOKENS = [
  ...'any s h c t0 v0 . .? ?. [ ] ( ) { } , : ? && || ! == != < <= > >= in + - * / % 0 1 2.5 1e308'.split(' '),
  ...["'a'", '"b"', "r'\\\\'", '`c`', '\\u2028', '\u2028', '//', '/*', '*/', '$', '=>'],
  ...'constructor __proto__ prototype toString has map filter all exists size matches split eval this null true'.split(
    ' ',
  ),
];
const BYTES = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i)).concat([
  '\u2028',
  '\ud800',
  '\ufeff',
  'é',
  '😀',
]);

test('random bytes, tokens and mutations are refused or bounded', (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const pick = <T>(from: readonly T[]): T => from[randomInt(random, from.length)]!;
  const expressions = new RandomExpressions(random);
  const kinds: readonly (() => string)[] = [
    () => Array.from({ length: randomInt(random, 40) }, () => pick(BYTES)).join(''),
    () => Array.from({ length: randomInt(random, 25) }, () => pick(TOKENS)).join(pick(['', ' '])),
    () => {
      const source = pick(ATTEMPTS).source.slice(0, 200);
      const at = randomInt(random, source.length + 1);
      return source.slice(0, at) + pick([pick(TOKENS), pick(BYTES)]) + source.slice(at + randomInt(random, 4));
    },
    () => {
      const source = expressions.source();
      const at = randomInt(random, source.length + 1);
      return source.slice(0, at) + pick([pick(TOKENS), pick(BYTES), '']) + source.slice(at + randomInt(random, 3));
    },
  ];
  const scope = { ...expressions.scope(), any: { x: 1, s: 'xyz', list: [1, 2], proto: '__proto__' } };
  const options = { scope: { ...RANDOM_OPTIONS.scope, any: 'dyn' } } as const;
  const counts = { cases: 0, compiled: 0, answers: 0 };
  const end = performance.now() + BUDGET;
  while (performance.now() < end || counts.cases < 2000) {
    const source = pick(kinds)();
    counts.cases++;
    const { expression } = compileExpression(source, options);
    if (expression !== undefined) {
      counts.compiled++;
      const compiled = evaluated(() => expression.evaluate(scope));
      assert.deepEqual(
        compiled,
        evaluated(() => expression.interpret(scope)),
        `seed ${SEED}: ${source}`,
      );
      if ('answer' in (compiled as object)) counts.answers++;
    }
    assertUntouched(`seed ${SEED}: ${source}`, counts.cases % 50 === 0);
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.answers > 20 && counts.cases > counts.compiled * 1.2, JSON.stringify(counts));
});
