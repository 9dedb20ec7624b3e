import type { BinaryOp, MacroName, MapEntry, Node, Spot } from './ast.ts';
import { refuse } from './faults.ts';
import { type Token, tokens } from './lexer.ts';
import { FORBIDDEN, LIMITS } from './limits.ts';

/** The words that CEL keeps for itself: no variables, though fields may be called so. */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

const MACROS: { readonly [name: string]: readonly number[] } = {
  all: [2],
  exists: [2],
  exists_one: [2],
  map: [2, 3],
  filter: [2],
};

/** What CEL's `math` extension calls some functions. */
const MATH: { readonly [name: string]: string } = {
  abs: 'abs',
  ceil: 'ceil',
  floor: 'floor',
  round: 'round',
  trunc: 'trunc',
  sign: 'sign',
  greatest: 'max',
  least: 'min',
};

const LEVELS: readonly (readonly BinaryOp[])[] = [
  ['==', '!=', '<', '<=', '>', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** `Omit` over each kind of node. */
type Bare<N> = N extends Node ? Omit<N, keyof Spot> : never;

/** Reads a source into a tree, or throws `Refused` at the first thing that is wrong. */
export function parse(source: string): Node {
  if (Buffer.byteLength(source) > LIMITS.source) {
    refuse(
      'expression.too-long',
      0,
      `the expression is longer than ${LIMITS.source} bytes`,
      'Cut it into steps, or write a function.',
    );
  }
  return new Parser(tokens(source)).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  whole(): Node {
    if (this.#peek().kind === 'end') {
      refuse('expression.syntax', 0, 'the expression is empty', 'Write what it should answer.');
    }
    const node = this.#expression();
    if (this.#peek().kind !== 'end') this.#unexpected('an operator or the end');
    return node;
  }

  #expression(): Node {
    return this.#deeper(() => {
      // a chain of branches is a list of cases, and counts as one
      const cases: { test: Node; then: Node }[] = [];
      let last = this.#or();
      while (this.#take('?')) {
        const then = this.#expression();
        this.#expect(':');
        cases.push({ test: last, then });
        last = this.#or();
      }
      return cases.reduceRight(
        (otherwise, { test, then }) => this.#node(test.at, { is: 'choose', test, then, otherwise }),
        last,
      );
    });
  }

  #or(): Node {
    let left = this.#and();
    while (this.#take('||')) left = this.#node(left.at, { is: 'or', left, right: this.#and() });
    return left;
  }

  #and(): Node {
    let left = this.#binary(0);
    while (this.#take('&&')) left = this.#node(left.at, { is: 'and', left, right: this.#binary(0) });
    return left;
  }

  #binary(level: number): Node {
    const ops = LEVELS[level];
    if (ops === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peek();
      const op = ops.find((one) => one === token.text && (token.kind === 'sign' || token.kind === 'name'));
      if (op === undefined) return left;
      this.#next++;
      left = this.#node(left.at, { is: 'binary', op, left, right: this.#binary(level + 1) });
    }
  }

  #unary(): Node {
    const { at } = this.#peek();
    if (this.#take('!')) return this.#deeper(() => this.#node(at, { is: 'not', of: this.#unary() }));
    if (!this.#take('-')) return this.#member();
    if (this.#peek().kind === 'number') {
      // so that -1 is a literal, and -1.abs() that of -1
      const value = -(this.#advance().value as number);
      return this.#selectors(this.#node(at, { is: 'literal', value: value === 0 ? 0 : value }));
    }
    return this.#deeper(() => this.#node(at, { is: 'negate', of: this.#unary() }));
  }

  #member(): Node {
    return this.#selectors(this.#primary());
  }

  #selectors(first: Node): Node {
    let node = first;
    for (;;) {
      if (this.#take('[')) node = this.#index(node, this.#take('?'));
      else if (this.#take('.?')) node = this.#field(node, true);
      else if (this.#take('?.')) node = this.#take('[') ? this.#index(node, true) : this.#field(node, true);
      else if (!this.#take('.')) return node;
      else if (this.#peek().kind === 'name' && this.#peek(1).text === '(' && this.#peek(1).kind === 'sign') {
        node = this.#method(node);
      } else node = this.#field(node, false);
    }
  }

  #index(of: Node, optional: boolean): Node {
    const key = this.#expression();
    this.#expect(']');
    return this.#node(of.at, { is: 'index', of, key, optional });
  }

  #field(of: Node, optional: boolean): Node {
    const token = this.#advance();
    if (token.kind !== 'name' && token.kind !== 'quoted') this.#unexpected('the name of a field', token);
    allowed(token.text, token.at);
    return this.#node(of.at, { is: 'field', of, name: token.text, optional });
  }

  #method(of: Node): Node {
    const { text: name, at } = this.#advance();
    const counts = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
    if (counts !== undefined) return this.#macro(of, name as MacroName, counts, at);
    const args = this.#arguments();
    if (of.is === 'name' && of.name === 'math' && Object.hasOwn(MATH, name)) {
      return this.#node(of.at, { is: 'call', fn: MATH[name]!, args });
    }
    if (name !== 'orValue') return this.#node(of.at, { is: 'call', fn: name, args: [of, ...args] });
    if (args.length !== 1) refuse('expression.arguments', at, 'orValue takes one value', 'Write x.orValue(0).');
    return this.#node(of.at, { is: 'or-value', of, otherwise: args[0]! });
  }

  #macro(over: Node, macro: MacroName, counts: readonly number[], at: number): Node {
    const args = this.#arguments();
    const variable = args[0];
    if (!counts.includes(args.length) || variable?.is !== 'name') {
      refuse(
        'expression.arguments',
        at,
        `${macro} takes the name of a variable and ${counts.length > 1 ? 'one or two expressions' : 'an expression'}`,
        `Write list.${macro}(x, ${macro === 'map' ? 'x.name' : 'x > 0'}).`,
      );
    }
    const test = args.length === 3 ? args[1]! : null;
    const node = { is: 'macro', macro, over, variable: variable.name, test, body: args.at(-1)! } as const;
    return this.#node(over.at, node);
  }

  #primary(): Node {
    const token = this.#advance();
    const { at } = token;
    if (token.kind === 'number' || token.kind === 'string')
      return this.#node(at, { is: 'literal', value: token.value });
    if (token.kind === 'name') return this.#named(token);
    if (token.kind === 'sign') {
      if (token.text === '(') {
        const inner = this.#expression();
        this.#expect(')');
        return inner;
      }
      if (token.text === '[') return this.#node(at, { is: 'list', items: this.#items(']', () => this.#expression()) });
      if (token.text === '{') return this.#node(at, { is: 'map', entries: this.#items('}', () => this.#entry()) });
    }
    return this.#unexpected('a value', token);
  }

  #named({ text, at }: Token): Node {
    if (text === 'true' || text === 'false') return this.#node(at, { is: 'literal', value: text === 'true' });
    if (text === 'null') return this.#node(at, { is: 'literal', value: null });
    if (RESERVED.has(text)) {
      refuse('expression.syntax', at, `${text} is a word of the language`, 'Name the variable otherwise.');
    }
    allowed(text, at);
    if (this.#peek().kind === 'sign' && this.#peek().text === '{') {
      refuse('expression.syntax', at, 'messages cannot be made', "Write a map: {'name': value}.");
    }
    if (this.#peek().kind !== 'sign' || this.#peek().text !== '(') return this.#node(at, { is: 'name', name: text });
    const args = this.#arguments();
    return text === 'has' ? this.#has(args, at) : this.#node(at, { is: 'call', fn: text, args });
  }

  /** Fields on the way to the one that is asked for may be absent too. */
  #has(args: readonly Node[], at: number): Node {
    const field = args[0];
    if (args.length !== 1 || field?.is !== 'field') {
      refuse('expression.arguments', at, 'has takes a field', 'Write has(a.b).');
    }
    return this.#node(at, { is: 'has', of: lenient(field.of), name: field.name });
  }

  #entry(): MapEntry {
    const key = this.#expression();
    if (key.is === 'literal' && typeof key.value === 'string') allowed(key.value, key.at);
    this.#expect(':');
    return { key, value: this.#expression() };
  }

  #arguments(): readonly Node[] {
    this.#expect('(');
    return this.#items(')', () => this.#expression());
  }

  #items<T>(close: string, item: () => T): readonly T[] {
    const { at } = this.#peek();
    const items: T[] = [];
    while (!this.#take(close)) {
      if (items.length > 0) {
        this.#expect(',', close);
        // CEL takes a comma before the end of lists and maps
        if (close !== ')' && this.#take(close)) break;
      }
      items.push(item());
      if (items.length > LIMITS.list) {
        refuse('expression.too-large', at, `more than ${LIMITS.list} items are written out`, 'Bring them in as data.');
      }
    }
    return items;
  }

  #node(at: number, bare: Bare<Node>): Node {
    if (this.#nodes >= LIMITS.nodes) {
      refuse(
        'expression.too-many-nodes',
        at,
        `the expression has more than ${LIMITS.nodes} parts`,
        'Cut it into steps, or write a function.',
      );
    }
    const end = this.#tokens[this.#next - 1]!.end;
    return { ...bare, id: this.#nodes++, at, end } as Node;
  }

  #deeper(read: () => Node): Node {
    if (++this.#depth > LIMITS.depth) {
      const { at } = this.#peek();
      refuse('expression.too-deep', at, `the expression nests more than ${LIMITS.depth} deep`, 'Cut it into steps.');
    }
    const node = read();
    this.#depth--;
    return node;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  #advance(): Token {
    const token = this.#peek();
    if (this.#next < this.#tokens.length - 1) this.#next++;
    return token;
  }

  #take(sign: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.#next++;
    return true;
  }

  #expect(sign: string, or = ''): void {
    if (!this.#take(sign)) this.#unexpected(or === '' ? sign : `${sign} or ${or}`);
  }

  #unexpected(wanted: string, found = this.#peek()): never {
    const what = found.kind === 'string' ? 'a string' : found.text;
    refuse('expression.syntax', found.at, `${what} stands where ${wanted} is wanted`, `Put ${wanted} there.`);
  }
}

function lenient(node: Node): Node {
  if (node.is === 'field') return { ...node, of: lenient(node.of), optional: true };
  return node.is === 'index' ? { ...node, of: lenient(node.of), optional: true } : node;
}

function allowed(name: string, at: number): void {
  if (!FORBIDDEN.has(name)) return;
  refuse('expression.forbidden-name', at, `the name ${name} may not be used`, 'Name the field otherwise.');
}
