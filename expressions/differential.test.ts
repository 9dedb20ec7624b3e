import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment } from '@marcbachmann/cel-js';
import { FlowError, messageOf } from '../core/errors.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { compileExpression } from './expressions.ts';

/**
 * The part of the language that is CEL's, held against another implementation of it. Numbers are written as doubles, since
 * CEL keeps integers apart; where the two differ otherwise is listed below, each with its reason.
 */
const BUDGET = Number(process.env['NODEFLOW_FUZZ_MS'] ?? 1000);
const SEED = Number(process.env['NODEFLOW_FUZZ_SEED'] ?? 20261130);

const NAMES = ['n', 'k', 's', 'b', 'ns', 'ss', 'm', 'd'] as const;
const OPTIONS = { scope: Object.fromEntries(NAMES.map((name) => [name, 'dyn' as const])) };
const cel = new Environment({ unlistedVariablesAreDyn: true });

type Kind = 'number' | 'string' | 'bool' | 'numbers' | 'strings';

const LEAVES: { readonly [K in Kind]: readonly string[] } = {
  number: ['n', 'k', '1.0', '2.5', '0.0', '-3.0', '1e10', 'ns[0]', 'ns[1]', 'm.a', 'm["b"]', 'd.x.n'],
  string: ['s', '"a"', '""', "'b'", 'r"\\d"', '"\\u00e9\\n"', 'ss[0]', 'd.x.s', '"""q"q"""'],
  bool: ['b', 'true', 'false', 'has(d.x)', 'has(d.y)', 'has(d.x.n)', '"a" in m', 'd.x.n == 1.0'],
  numbers: ['ns', '[1.0, 2.0]', '[n, k]', 'd.list'],
  strings: ['ss', '["a", s]', 's.split("b")', 'm.map(q, q)'],
};

class SharedExpressions {
  readonly #random: ReturnType<typeof seededRandom>;
  #names = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  pick<T>(from: readonly T[]): T {
    return from[randomInt(this.#random, from.length)]!;
  }

  source(): string {
    return this.#of(this.pick(['number', 'string', 'bool', 'numbers', 'strings'] as const), 4, []);
  }

  #of(kind: Kind, depth: number, locals: readonly { name: string; kind: Kind }[]): string {
    if (depth <= 0 || this.#random.next() < 0.15) {
      const own = locals.filter((local) => local.kind === kind);
      return own.length > 0 && this.#random.next() < 0.6 ? this.pick(own).name : this.pick(LEAVES[kind]);
    }
    const of = (inner: Kind) => this.#of(inner, depth - 1, locals);
    const each = (over: 'numbers' | 'strings', body: Kind) => {
      const name = `x${this.#names++}`;
      const inner = [...locals, { name, kind: over === 'numbers' ? ('number' as const) : ('string' as const) }];
      return `(${name}, ${this.#of(body, depth - 1, inner)})`;
    };
    if (this.#random.next() < 0.1) return `(${of('bool')} ? ${of(kind)} : ${of(kind)})`;
    const order = () => this.pick(['<', '<=', '>', '>=', '==', '!=']);
    const list = () => this.pick(['numbers', 'strings'] as const);
    switch (kind) {
      case 'number':
        return this.pick([
          () => `(${of('number')} ${this.pick(['+', '-', '*', '/'])} ${of('number')})`,
          () => `(-(${of('number')}))`,
          () => `double(size(${of(this.pick(['string', 'numbers', 'strings'] as const))}))`,
          () => `double(${of('string')})`,
          () => `double((${of('string')}).indexOf(${of('string')}))`,
        ])();
      case 'string':
        return this.pick([
          () => `(${of('string')} + ${of('string')})`,
          () => `string(${of(this.pick(['number', 'string', 'bool'] as const))})`,
          () =>
            `(${of('string')}).${this.pick(['trim()', 'lowerAscii()', 'upperAscii()', 'substring(1)', 'substring(0, 2)'])}`,
          () => `(${of('strings')}).join(${of('string')})`,
        ])();
      case 'bool':
        return this.pick([
          () => `(${of('bool')} ${this.pick(['&&', '||'])} ${of('bool')})`,
          () => `(!(${of('bool')}))`,
          () => `(${of('number')} ${order()} ${of('number')})`,
          () => `(${of('string')} ${order()} ${of('string')})`,
          () => `(${of('numbers')} ${this.pick(['==', '!='])} ${of('numbers')})`,
          () => `(${of('number')} in ${of('numbers')})`,
          () => `(${of('string')} in ${of('strings')})`,
          () => `(${of('string')}).${this.pick(['startsWith', 'endsWith', 'contains'])}(${of('string')})`,
          () => `(${of('string')}).matches(${this.pick(['"^a"', '"[b-d]+$"', '"a|é"'])})`,
          () => {
            const over = list();
            return `(${of(over)}).${this.pick(['all', 'exists', 'exists_one'])}${each(over, 'bool')}`;
          },
        ])();
      case 'numbers':
        return this.pick([
          () => `(${of('numbers')} + ${of('numbers')})`,
          () => `(${of('numbers')}).filter${each('numbers', 'bool')}`,
          () => {
            const over = list();
            return `(${of(over)}).map${each(over, 'number')}`;
          },
        ])();
      case 'strings':
        return this.pick([
          () => `(${of('strings')} + ${of('strings')})`,
          () => `(${of('string')}).split(${of('string')})`,
          () => `(${of('strings')}).filter${each('strings', 'bool')}`,
        ])();
    }
  }

  scope(): Record<string, unknown> {
    const number = () => this.pick([0, 1, -1, 2.5, 100, 1e10]);
    const string = () => this.pick(['', 'a', 'b', 'abc', ' x ', 'é', '12', 'a😀b', 'true']);
    return {
      ...{ n: number(), k: number(), s: string(), b: this.pick([true, false]) },
      ...{ ns: [number(), number()], ss: [string(), string()], m: { a: number(), b: number() } },
      d: { x: { n: number(), s: string() }, list: [number()] },
    };
  }
}

interface Difference {
  readonly reason: string;
  readonly holds: (source: string, ours: Outcome, theirs: Outcome, scope: string) => boolean;
}

type Outcome = { readonly answer: unknown } | { readonly failure: string };
const failed = (outcome: Outcome, pattern: RegExp) => 'failure' in outcome && pattern.test(outcome.failure);

const DIFFERENCES: readonly Difference[] = [
  {
    reason: 'a result that is not finite is an error here, since JSON has no other numbers',
    holds: (_source, ours) => failed(ours, /has no finite result/),
  },
  {
    reason: 'CEL goes on where the other side of && or ||, or another item, decides; here an error is an error',
    holds: (source, ours, theirs) => 'failure' in ours && 'answer' in theirs && /&&|\|\||all|exists/.test(source),
  },
  {
    reason: 'comparing texts: CEL by code points, here by UTF-16 units; the two differ beyond U+FFFF alone',
    holds: (source, _ours, _theirs, scope) => /<|>/.test(source) && scope.includes('😀'),
  },
  {
    reason: 'upperAscii and lowerAscii change other letters than those of ASCII there, which CEL does not',
    holds: (source) => /(?:upper|lower)Ascii/.test(source),
  },
  {
    reason: 'bounds: more than two macros within each other, or too costly',
    holds: (_source, ours) => failed(ours, /^expression\.too-/),
  },
  {
    reason: 'substring, split and indexOf count characters here, as CEL has it; there halves of them',
    holds: (source, _ours, _theirs, scope) => /substring|split|indexOf/.test(source) && scope.includes('😀'),
  },
  {
    reason: 'double() of a text: surrounding space and words such as NaN are refused here',
    holds: (source, ours, theirs) => 'answer' in theirs && failed(ours, /as a number/) && source.includes('double('),
  },
  {
    reason: 'what the other one lacks: overloads of its functions, and lists of dynamic parts',
    holds: (_source, ours, theirs) =>
      'answer' in ours &&
      failed(theirs, /overload|same type|must be|expects|expected|non-|wrapped|Equality|type mismatch/i),
  },
];

function outcome(run: () => unknown): Outcome {
  try {
    return { answer: plain(run()) };
  } catch (thrown) {
    return { failure: messageOf(thrown) };
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value === 0) return 0;
  return Array.isArray(value) ? value.map(plain) : value;
}

test('what is CEL answers as another implementation of CEL does', (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = new SharedExpressions(SEED);
  const counts = { cases: 0, bothAnswer: 0, bothFail: 0 };
  const unexplained: string[] = [];
  const seen = new Map<string, number>();
  const end = performance.now() + BUDGET;
  while (performance.now() < end || counts.cases < 500) {
    const source = random.source();
    const { expression, faults } = compileExpression(source, OPTIONS);
    const scope = random.scope();
    counts.cases++;
    const ours = expression === undefined ? { failure: faults[0]!.code } : outcome(() => expression.evaluate(scope));
    const theirs = outcome(() => cel.evaluate(source, scope));
    if ('answer' in ours && 'answer' in theirs && same(ours.answer, theirs.answer)) counts.bothAnswer++;
    else if ('failure' in ours && 'failure' in theirs) counts.bothFail++;
    else {
      const why = DIFFERENCES.find(({ holds }) => holds(source, ours, theirs, JSON.stringify(scope)));
      if (why === undefined) unexplained.push(JSON.stringify({ source, scope, ours, theirs }));
      else seen.set(why.reason, (seen.get(why.reason) ?? 0) + 1);
    }
    if (unexplained.length >= 5) break;
  }
  t.diagnostic(JSON.stringify({ ...counts, differ: Object.fromEntries(seen) }));
  assert.deepEqual(unexplained, [], `seed ${SEED}`);
  assert.ok(counts.bothAnswer > counts.cases / 3, JSON.stringify(counts));
});

function same(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

test('literal integers go with doubles here, and not there', () => {
  assert.equal(compileExpression('n * 2 == 3', OPTIONS).expression!.evaluate({ n: 1.5 }), true);
  assert.throws(() => cel.evaluate('n * 2 == 3.0', { n: 1.5 }));
  assert.equal(compileExpression('7 / 2', OPTIONS).expression!.evaluate({}), 3.5);
  assert.equal(cel.evaluate('7 / 2'), 3n);
  assert.throws(() => compileExpression('1 / 0', OPTIONS).expression!.evaluate({}), FlowError);
});
