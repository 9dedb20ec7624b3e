import { type Literal, type Node, type NodeOf, weightOf } from './ast.ts';
import type { Checked } from './check.ts';
import type { ExprType } from './expressions.ts';
import { FUNCTIONS, isOneOf, paramOf } from './functions.ts';
import { type CoreHelper, helperOf } from './helpers.ts';
import { isIdentity, isLookedAt, isRead, orderOf } from './looks.ts';
import { fit, isList, isNullable, printShort } from './types.ts';

/**
 * Makes the text of a function from a checked tree. The text is closed: it consists of the pieces in this file, numbers,
 * names that are counted up, and texts of the user as string literals. `closed-grammar.ts` tells the same from the other
 * side, and holds each text against it.
 *
 * - `s` is the scope, `h` the table of helpers, `c` the constants.
 * - `t0, t1, ...` hold values that are used twice, `v0, v1` what macros bring.
 * - Each macro is a function `m0, m1, ...` with one loop, and takes the scope and the variables around it.
 * - The first argument of helpers is the number of the node, to name the place of a failure.
 */
export interface Generated {
  readonly code: string;
  readonly constants: readonly unknown[];
}

export function generate(checked: Checked): Generated {
  return new Generator(checked).whole();
}

/** A function that is being written: its temporaries. */
interface Frame {
  temps: number;
}

/** Names that objects may have by inheritance, or lists of their own: read by the helper alone. */
const INHERITED: ReadonlySet<string> = new Set(
  [Object, Array, String, Number, Boolean, Function, Uint8Array, Buffer].flatMap(({ prototype }) => namesOf(prototype)),
);

function namesOf(prototype: object | null): readonly string[] {
  if (prototype === null) return [];
  return [...Object.getOwnPropertyNames(prototype), ...namesOf(Object.getPrototypeOf(prototype) as object | null)];
}

class Generator {
  readonly #checked: Checked;
  readonly #constants: unknown[] = [];
  readonly #macros: string[] = [];
  #frame: Frame = { temps: 0 };

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  whole(): Generated {
    const { root, look } = this.#checked;
    let value = this.#value(root);
    if (look !== null) value = this.#help('lookThrough', root.id, value, this.#constant(look));
    const body = `function e(s) {\n${this.#temps()}return ${value};\n}`;
    return { code: [...this.#macros, `return ${body};`].join('\n'), constants: this.#constants };
  }

  #temps(): string {
    const { temps } = this.#frame;
    return temps === 0 ? '' : `let ${Array.from({ length: temps }, (_, i) => `t${i}`).join(', ')};\n`;
  }

  #temp(): string {
    return `t${this.#frame.temps++}`;
  }

  #constant(value: unknown): string {
    this.#constants.push(value);
    return `c[${this.#constants.length - 1}]`;
  }

  /** An expression for the value of a node, looked at if it was read and has a simple type. */
  #value(node: Node): string {
    const value = this.#plain(node);
    const type = this.#typeOf(node);
    return isRead(node) && isLookedAt(type) ? this.#look(node, value, type) : value;
  }

  /** The same, of a type that is wanted. */
  #as(node: Node, wanted: ExprType): string {
    const value = this.#value(node);
    return fit(this.#typeOf(node), wanted) === 'yes' ? value : this.#look(node, value, wanted);
  }

  #look(node: Node, value: string, type: ExprType): string {
    const temp = this.#temp();
    const test = testOf(temp, type);
    return `(${temp} = ${value}, ${test} ? ${temp} : ${this.#help('wrong', node.id, temp, text(printShort(type)))})`;
  }

  #plain(node: Node): string {
    const site = node.id;
    switch (node.is) {
      case 'literal':
        return literal(node.value);
      case 'list':
        return this.#help('list', site, ...node.items.map((item) => this.#value(item)));
      case 'map': {
        const pairs = node.entries.flatMap(({ key, value }) => [this.#as(key, 'string'), this.#value(value)]);
        return this.#help('map', site, ...pairs);
      }
      case 'name':
        return this.#name(node);
      case 'field':
        return this.#field(node);
      case 'has':
        return this.#help('has', site, this.#value(node.of), text(node.name));
      case 'index': {
        const helper = node.optional ? 'optionalIndex' : 'index';
        return this.#help(helper, site, this.#value(node.of), this.#value(node.key));
      }
      case 'not':
        return `!${this.#as(node.of, 'bool')}`;
      case 'negate':
        return `(-${this.#as(node.of, 'number')})`;
      case 'and':
        return `(${this.#as(node.left, 'bool')} && ${this.#as(node.right, 'bool')})`;
      case 'or':
        return `(${this.#as(node.left, 'bool')} || ${this.#as(node.right, 'bool')})`;
      case 'binary':
        return this.#binary(node);
      case 'choose':
        return `(${this.#as(node.test, 'bool')} ? ${this.#value(node.then)} : ${this.#value(node.otherwise)})`;
      case 'or-value': {
        const value = this.#value(node.of);
        const temp = this.#temp();
        return `(${temp} = ${value}, ${temp} !== null ? ${temp} : ${this.#value(node.otherwise)})`;
      }
      case 'call':
        return this.#call(node);
      case 'macro':
        return this.#macro(node);
    }
  }

  #name({ id, name }: NodeOf<'name'>): string {
    const slot = this.#checked.slots.get(id);
    if (slot !== undefined) return `v${slot}`;
    const slow = this.#help('variable', id, 's', text(name));
    if (INHERITED.has(name)) return slow;
    const temp = this.#temp();
    // the scope is made by the engine: it inherits nothing but what INHERITED names
    return `((${temp} = s[${text(name)}]) !== undefined ? ${temp} : ${slow})`;
  }

  /**
   * The field by itself where all is well, so that the runtime knows its place in the object; else the helper tells. It is
   * read only once it is known to be the object's own: a getter that was inherited would run.
   */
  #field({ id, of, name, optional }: NodeOf<'field'>): string {
    const helper = optional ? 'optional' : 'field';
    const object = this.#value(of);
    if (INHERITED.has(name) || /^\d/.test(name)) return this.#help(helper, id, object, text(name));
    const holder = this.#temp();
    const value = this.#temp();
    const there = [
      `typeof ${holder} === "object"`,
      `${holder} !== null`,
      `h.own(${holder}, ${text(name)})`,
      `(${value} = ${holder}[${text(name)}]) !== undefined`,
    ].join(' && ');
    return `(${holder} = ${object}, ${there} ? ${value} : ${this.#help(helper, id, holder, text(name))})`;
  }

  #binary({ id: site, op, left, right }: NodeOf<'binary'>): string {
    const types = [this.#typeOf(left), this.#typeOf(right)] as const;
    switch (op) {
      case '==':
      case '!=': {
        const [a, b] = [this.#value(left), this.#value(right)];
        if (isIdentity(...types)) return `(${a} ${op}= ${b})`;
        return `${op === '==' ? '' : '!'}${this.#help('equal', site, a, b)}`;
      }
      case 'in':
        return this.#help('within', site, this.#value(left), this.#value(right));
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const order = orderOf(...types);
        if (order !== null) return `(${this.#as(left, order)} ${op} ${this.#as(right, order)})`;
        return `(${this.#help('compare', site, this.#value(left), this.#value(right))} ${op} 0)`;
      }
      case '+': {
        const order = orderOf(...types);
        if (order === null) return this.#help('add', site, this.#value(left), this.#value(right));
        if (order === 'string') {
          return this.#help('concat', site, this.#as(left, 'string'), this.#as(right, 'string'));
        }
        return this.#finite(site, op, left, right);
      }
      default:
        return this.#finite(site, op, left, right);
    }
  }

  #finite(site: number, op: string, left: Node, right: Node): string {
    const value = `${this.#as(left, 'number')} ${op} ${this.#as(right, 'number')}`;
    const temp = this.#temp();
    return `(${temp} = ${value}, ${temp} - ${temp} === 0 ? ${temp} : ${this.#help('overflow', site)})`;
  }

  #call({ id: site, fn, args }: NodeOf<'call'>): string {
    const spec = FUNCTIONS[fn]!;
    const pattern = this.#checked.patterns.get(site);
    const given = args.map((arg, i) => {
      if (pattern !== undefined && i === 1) return this.#constant(pattern);
      const param = paramOf(spec, i, args.length);
      return isOneOf(param) ? this.#value(arg) : this.#as(arg, param);
    });
    return `h.${helperOf(fn)}(${[String(site), ...given].join(', ')})`;
  }

  #macro(node: NodeOf<'macro'>): string {
    const { id: site, macro, over, test, body } = node;
    const slot = this.#checked.slots.get(site)!;
    const outside = this.#frame;
    this.#frame = { temps: 0 };
    const items = this.#help('items', site, this.#value(over));
    const weight = weightOf(body) + (test === null ? 0 : weightOf(test));
    const inner = macro === 'map' ? this.#value(body) : this.#as(body, 'bool');
    const guarded = test === null ? '' : `if (${this.#as(test, 'bool')}) `;
    const { before, each, after } = loop(macro, inner, `v${slot}`, this.#help('made', site, 'r'));
    const params = ['s', ...Array.from({ length: slot }, (_, i) => `v${i}`)].join(', ');
    const name = `m${this.#macros.length}`;
    this.#macros.push(
      `function ${name}(${params}) {
${this.#temps()}const l = ${items};
${before}for (let i = 0; i < l.length; i++) {
h.burn(${site}, ${weight});
const v${slot} = l[i];
${guarded}${each}
}
return ${after};
}`,
    );
    this.#frame = outside;
    return `${name}(${params})`;
  }

  #help(helper: CoreHelper, ...args: readonly (string | number)[]): string {
    return `h.${helper}(${args.join(', ')})`;
  }

  #typeOf(node: Node): ExprType {
    return this.#checked.types[node.id]!;
  }
}

function loop(macro: NodeOf<'macro'>['macro'], value: string, item: string, made: string) {
  switch (macro) {
    case 'all':
      return { before: '', each: `if (!${value}) return false;`, after: 'true' };
    case 'exists':
      return { before: '', each: `if (${value}) return true;`, after: 'false' };
    case 'exists_one':
      return { before: 'let n = 0;\n', each: `if (${value}) n++;`, after: 'n === 1' };
    case 'filter':
      return { before: 'const r = h.fresh();\n', each: `if (${value}) h.push(r, ${item});`, after: made };
    case 'map':
      return { before: 'const r = h.fresh();\n', each: `h.push(r, ${value});`, after: made };
  }
}

function testOf(name: string, type: ExprType): string {
  if (isNullable(type)) return `(${name} === null || ${testOf(name, type.nullable)})`;
  if (isList(type)) return `h.isArray(${name})`;
  if (type === 'null') return `${name} === null`;
  return `typeof ${name} === ${text(type === 'bool' ? 'boolean' : String(type))}`;
}

function literal(value: Literal): string {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && (value < 0 || Object.is(value, -0))) return `(-${String(-value)})`;
  return String(value);
}

/** A string literal. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
