import { type Random, randomInt } from '../core/random.ts';
import type { CompileOptions, ExprType } from './expressions.ts';

/** Random expressions, mostly such as have a meaning, over scopes that mostly are what they should be. */

export const RANDOM_OPTIONS: CompileOptions = {
  scope: {
    n: 'number',
    s: 'string',
    b: 'bool',
    d: 'dyn',
    maybe: { nullable: 'number' },
    ns: { list: 'number' },
    ss: { list: 'string' },
    m: { map: 'number' },
    r: {
      fields: { n: 'number', s: 'string', o: { fields: { n: 'number', d: 'dyn' } }, gone: 'number' },
      optional: ['gone'],
    },
    rs: { list: { fields: { n: 'number', s: 'string' } } },
  },
};

type Kind = 'number' | 'string' | 'bool' | 'dyn' | 'numbers' | 'strings';
const KINDS: readonly Kind[] = ['number', 'string', 'bool', 'dyn', 'numbers', 'strings'];

/** Variables of macros in scope, by what they are. */
type Locals = readonly { readonly name: string; readonly kind: Kind }[];

const LEAVES: { readonly [K in Kind]: readonly string[] } = {
  number: [
    'n',
    '1',
    '-2',
    '0.5',
    '0',
    'r.n',
    'r.o.n',
    'ns[0]',
    'm.a',
    'm["b"]',
    'r.gone',
    'maybe',
    'd',
    'd.x',
    '1e300',
  ],
  string: ['s', '"a"', '""', '"x😀"', 'r.s', 'ss[1]', 'd', 'd.s', '"\\u2028"', '"__proto__"', '"ab"'],
  bool: ['b', 'true', 'false', 'd', 'has(r.gone)', 'has(d.x.y)', '"a" in m', 'd.b'],
  dyn: [
    'd',
    'd.x',
    'd.?x.?y',
    'd[?0]',
    'null',
    'maybe',
    'r',
    'm',
    'rs',
    '{}',
    'r.o.d',
    'd[n]',
    'r.?gone',
    'd.toString',
  ],
  numbers: ['ns', '[]', '[1, 2, 3]', 'd', 'd.list'],
  strings: ['ss', '["b", "a"]', 'd', 's.split("")', 'd.list'],
};

export class RandomExpressions {
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  source(): string {
    return this.#expression(this.#pick(KINDS), 1 + randomInt(this.#random, 5), []);
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomInt(this.#random, from.length)]!;
  }

  #expression(wanted: Kind, depth: number, locals: Locals): string {
    // now and then of another kind, which is a fault or fails when it runs
    const kind = this.#random.next() < 0.04 ? this.#pick(KINDS) : wanted;
    if (depth <= 0) {
      const own = locals.filter((local) => local.kind === kind || local.kind === 'dyn');
      return own.length > 0 && this.#random.next() < 0.6 ? this.#pick(own).name : this.#pick(LEAVES[kind]);
    }
    const of = (inner: Kind) => this.#expression(inner, depth - 1 - randomInt(this.#random, 2), locals);
    if (this.#random.next() < 0.08) return `(${of('bool')} ? ${of(kind)} : ${of(kind)})`;
    if (this.#random.next() < 0.05) return `${member(of(kind))}.orValue(${of(kind)})`;
    return this.#pick(this.#forms(kind, of, depth, locals))();
  }

  #forms(kind: Kind, of: (kind: Kind) => string, depth: number, locals: Locals): readonly (() => string)[] {
    const { number, string, bool } = { number: () => of('number'), string: () => of('string'), bool: () => of('bool') };
    const list = () => (this.#random.next() < 0.5 ? of('numbers') : of('strings'));
    switch (kind) {
      case 'number':
        return [
          () => `(${number()} ${this.#pick(['+', '-', '*', '/', '%'])} ${number()})`,
          () => `-(${number()})`,
          () =>
            `${this.#pick(['abs', 'floor', 'ceil', 'round', 'trunc', 'sign', 'int', 'double', 'timestamp'])}(${number()})`,
          () => `${this.#pick(['min', 'max'])}(${number()}, ${number()})`,
          () => `${this.#pick(['min', 'max', 'sum'])}(${of('numbers')})`,
          () => `size(${this.#pick([list, string])()})`,
          () => `int(${string()})`,
          () => `${member(string())}.indexOf(${string()})`,
          () => `${member(of('numbers'))}[${number()}]`,
        ];
      case 'string':
        return [
          () => `(${string()} + ${string()})`,
          () => `string(${this.#pick([number, bool, string])()})`,
          () => `${member(string())}.${this.#pick(['trim', 'upperAscii', 'lowerAscii'])}()`,
          () => `${member(string())}.substring(${number()})`,
          () => `${member(string())}.replace(${string()}, ${string()})`,
          () => `${member(of('strings'))}.join(${string()})`,
          () => `${member(of('strings'))}[${this.#pick(['0', '1', number()])}]`,
        ];
      case 'bool':
        return [
          () => `(${bool()} ${this.#pick(['&&', '||'])} ${bool()})`,
          () => `!${member(bool())}`,
          () => `(${number()} ${this.#pick(['<', '<=', '>', '>=', '==', '!='])} ${number()})`,
          () => `(${string()} ${this.#pick(['<', '<=', '>', '>=', '==', '!='])} ${string()})`,
          () => `(${of('dyn')} ${this.#pick(['==', '!=', '<'])} ${of('dyn')})`,
          () => `(${list()} ${this.#pick(['==', '!='])} ${list()})`,
          () => `(${string()} in ${of('strings')})`,
          () => `(${of('dyn')} in ${of('dyn')})`,
          () => `${member(string())}.${this.#pick(['startsWith', 'endsWith', 'contains'])}(${string()})`,
          () => `${member(string())}.matches(${this.#pick(['"a"', '"^.*b$"', '"[x-z]+"', '"(a|b)*c?"'])})`,
          () => this.#macro(this.#pick(['all', 'exists', 'exists_one']), 'bool', depth, locals),
        ];
      case 'dyn':
        return [
          () => `{"a": ${of('dyn')}, ${string()}: ${of('number')}}`,
          () => `[${of('dyn')}, ${of('dyn')}]`,
          () => `dyn(${of(this.#pick(KINDS))})`,
          () => `${member(of('dyn'))}${this.#pick(['.x', '.?x', '[0]', '[?1]', '["list"]', '.`a-b`'])}`,
          () => of(this.#pick(KINDS)),
        ];
      case 'numbers':
      case 'strings':
        return [
          () => `(${of(kind)} + ${of(kind)})`,
          () => `[${of(kind === 'numbers' ? 'number' : 'string')}]`,
          () => this.#macro('map', kind === 'numbers' ? 'number' : 'string', depth, locals),
          () => this.#macro('filter', 'bool', depth, locals),
        ];
    }
  }

  #macro(name: string, wanted: Kind, depth: number, locals: Locals): string {
    const over = this.#pick(['ns', 'ss', 'rs', 'm', 'd', 'd.list', '[1, 2, 3]', 'r']);
    const item: Kind =
      over === 'ns' || over.startsWith('[') ? 'number' : over === 'ss' || over === 'm' ? 'string' : 'dyn';
    const variable = this.#random.next() < 0.1 ? 's' : `x${this.#names++}`;
    const inner = [...locals, { name: variable, kind: item }];
    const test = name === 'map' && this.#random.next() < 0.3 ? `${this.#expression('bool', depth - 2, inner)}, ` : '';
    return `${over}.${name}(${variable}, ${test}${this.#expression(wanted, depth - 1, inner)})`;
  }

  scope(): Record<string, unknown> {
    const scope: Record<string, unknown> = {};
    for (const [name, type] of Object.entries(RANDOM_OPTIONS.scope)) {
      if (this.#random.next() < 0.98) scope[name] = this.#value(type);
    }
    return scope;
  }

  #value(type: ExprType): unknown {
    if (this.#random.next() < 0.02) return this.#anything(1);
    if (type === 'dyn') return this.#anything(3);
    if (type === 'number') return this.#pick([0, 1, -1, 2, 3.5, 100, 1e15, -0.25]);
    if (type === 'string') return this.#pick(['', 'a', 'b', 'abc', '12', ' x ', 'a😀b', '__proto__', 'x'.repeat(40)]);
    if (type === 'bool') return this.#random.next() < 0.5;
    if (type === 'null') return null;
    if ('nullable' in type) return this.#random.next() < 0.5 ? null : this.#value(type.nullable);
    if ('list' in type) return Array.from({ length: randomInt(this.#random, 4) }, () => this.#value(type.list));
    if ('map' in type) return { a: this.#value(type.map), [this.#pick(['b', 'x', 'toString'])]: this.#value(type.map) };
    const present = Object.keys(type.fields).filter(
      (name) => !type.optional?.includes(name) || this.#random.next() < 0.5,
    );
    return Object.fromEntries(present.map((name) => [name, this.#value(type.fields[name]!)]));
  }

  #anything(depth: number): unknown {
    const leaf = this.#pick([null, true, false, 0, 1, -2.5, '', 'a', 'abc', '7', Number.NaN, undefined]);
    if (depth === 0 || this.#random.next() < 0.4) return leaf;
    if (this.#random.next() < 0.3)
      return Array.from({ length: randomInt(this.#random, 4) }, () => this.#anything(depth - 1));
    const names = ['x', 'y', 's', 'b', 'list', 'a-b'].filter(() => this.#random.next() < 0.5);
    const entries = names.map((name) => [name, this.#anything(depth - 1)] as const);
    const fields = Object.fromEntries(entries);
    return this.#random.next() < 0.1 ? Object.assign(JSON.parse('{"__proto__": {"x": 1}}') as object, fields) : fields;
  }
}

/** In brackets, where a selector could be taken for part of something else. */
function member(source: string): string {
  return /^[\w.()[\]"]+$/.test(source) && !/^[-\d]/.test(source) ? source : `(${source})`;
}
