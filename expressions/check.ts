import type { Node, NodeOf } from './ast.ts';
import type { CompileOptions, ExprType } from './expressions.ts';
import { type Fault, nearest } from './faults.ts';
import { arity, FUNCTIONS, functionNamed, isOneOf, type Param, paramOf } from './functions.ts';
import { LIMITS } from './limits.ts';
import { compilePattern, type Pattern } from './patterns.ts';
import { fieldType, fit, isFields, isList, isMap, isNullable, join, orNull, present, printShort } from './types.ts';

/** A tree whose names are known and whose types fit, as far as can be told before values are there. */
export interface Checked {
  readonly root: Node;
  /** By number of node. */
  readonly types: readonly ExprType[];
  /** Of names that macros bring, and of macros: which variable, by how many macros stand around it. */
  readonly slots: ReadonlyMap<number, number>;
  /** Of calls of `matches`. */
  readonly patterns: ReadonlyMap<number, Pattern>;
  /** What the result has to be looked at for, or null where that is sure. */
  readonly look: ExprType | null;
}

/** Types a tree, or tells all that is wrong with it. */
export function check(root: Node, options: CompileOptions): Checked | readonly Fault[] {
  return new Checker(options).whole(root);
}

interface Local {
  readonly name: string;
  readonly type: ExprType;
}

class Checker {
  readonly #options: CompileOptions;
  readonly #faults: Fault[] = [];
  readonly #types: ExprType[] = [];
  readonly #slots = new Map<number, number>();
  readonly #patterns = new Map<number, Pattern>();
  readonly #locals: Local[] = [];

  constructor(options: CompileOptions) {
    this.#options = options;
  }

  whole(root: Node): Checked | readonly Fault[] {
    const type = this.#type(root);
    const { expect } = this.#options;
    const fits = expect === undefined ? 'yes' : fit(type, expect);
    if (fits === 'no') {
      this.#fault('type', root, `it answers ${printShort(type)}, and ${printShort(expect!)} is wanted`, 'Convert it.');
    }
    if (this.#faults.length > 0) return this.#faults;
    const look = fits === 'look' ? expect! : null;
    return { root, types: this.#types, slots: this.#slots, patterns: this.#patterns, look };
  }

  #type(node: Node): ExprType {
    const type = this.#typeOf(node);
    this.#types[node.id] = type;
    return type;
  }

  #typeOf(node: Node): ExprType {
    switch (node.is) {
      case 'literal':
        return literalType(node.value);
      case 'list':
        return { list: this.#joined(node.items) };
      case 'map':
        return this.#map(node);
      case 'name':
        return this.#name(node);
      case 'field':
        return this.#field(node, node.optional);
      case 'has':
        this.#field(node, false);
        return 'bool';
      case 'index':
        return this.#index(node);
      case 'not':
        this.#want(node.of, 'bool');
        return 'bool';
      case 'negate':
        this.#want(node.of, 'number');
        return 'number';
      case 'and':
      case 'or':
        this.#want(node.left, 'bool');
        this.#want(node.right, 'bool');
        return 'bool';
      case 'binary':
        return this.#binary(node);
      case 'choose':
        this.#want(node.test, 'bool');
        return join(this.#type(node.then), this.#type(node.otherwise));
      case 'or-value':
        return join(present(this.#type(node.of)), this.#type(node.otherwise));
      case 'call':
        return this.#call(node);
      case 'macro':
        return this.#macro(node);
    }
  }

  /** Types a node of which a type is asked. */
  #want(node: Node, wanted: ExprType): ExprType {
    const type = this.#type(node);
    this.#fits(node, type, wanted);
    return type;
  }

  #joined(nodes: readonly Node[]): ExprType {
    if (nodes.length === 0) return 'dyn';
    return nodes.map((node) => this.#type(node)).reduce(join);
  }

  #map({ entries }: NodeOf<'map'>): ExprType {
    const fields: { [name: string]: ExprType } = {};
    let named = true;
    for (const { key, value } of entries) {
      this.#want(key, 'string');
      const type = this.#type(value);
      if (key.is === 'literal' && typeof key.value === 'string') fields[key.value] = type;
      else named = false;
    }
    if (named) return { fields };
    return { map: entries.map(({ value }) => this.#types[value.id]!).reduce(join) };
  }

  #name(node: NodeOf<'name'>): ExprType {
    const slot = this.#locals.findLastIndex(({ name }) => name === node.name);
    if (slot >= 0) {
      this.#slots.set(node.id, slot);
      return this.#locals[slot]!.type;
    }
    const { scope } = this.#options;
    if (Object.hasOwn(scope, node.name)) return scope[node.name]!;
    const known = [...this.#locals.map(({ name }) => name), ...Object.keys(scope)];
    const cure = nearest(node.name, known, 'variable');
    return this.#fault('unknown-name', node, `there is no variable ${node.name}`, cure);
  }

  #field(node: NodeOf<'field'> | NodeOf<'has'>, optional: boolean): ExprType {
    const of = this.#type(node.of);
    const type = this.#fieldOf(node, present(of));
    return optional && (isNullable(of) || !isSure(present(of), node.name)) ? orNull(type) : type;
  }

  #fieldOf(node: NodeOf<'field'> | NodeOf<'has'>, of: ExprType): ExprType {
    if (of === 'dyn') return 'dyn';
    if (isMap(of)) return of.map;
    if (!isFields(of)) return this.#fault('type', node, `${printShort(of)} has no fields`, 'Read a field of a map.');
    const type = fieldType(of, node.name);
    if (type !== undefined) return type;
    const cure = nearest(node.name, Object.keys(of.fields), 'field');
    return this.#fault('unknown-field', node, `there is no field ${node.name}`, cure);
  }

  #index(node: NodeOf<'index'>): ExprType {
    const of = this.#type(node.of);
    const type = this.#item(node, present(of));
    return node.optional ? orNull(type) : type;
  }

  #item({ of: object, key }: NodeOf<'index'>, of: ExprType): ExprType {
    if (isList(of)) {
      this.#want(key, 'number');
      return of.list;
    }
    if (of === 'dyn') {
      this.#type(key);
      return 'dyn';
    }
    this.#want(key, 'string');
    if (isMap(of)) return of.map;
    if (!isFields(of)) return this.#fault('type', object, `${printShort(of)} has no items`, 'Read of a list or a map.');
    if (key.is !== 'literal' || typeof key.value !== 'string') return 'dyn';
    const type = fieldType(of, key.value);
    if (type !== undefined) return type;
    const cure = nearest(key.value, Object.keys(of.fields), 'field');
    return this.#fault('unknown-field', key, `there is no field ${key.value}`, cure);
  }

  #binary(node: NodeOf<'binary'>): ExprType {
    const { op, left, right } = node;
    const a = this.#type(left);
    const b = this.#type(right);
    switch (op) {
      case '==':
      case '!=':
        if (fit(a, b) === 'no' && fit(b, a) === 'no' && a !== 'null' && b !== 'null') {
          const message = `${printShort(a)} and ${printShort(b)} are never equal`;
          this.#fault('type', node, message, 'Convert one of them, by string() or double().');
        }
        return 'bool';
      case 'in':
        return this.#in(node, a, present(b));
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#ordered(node, present(a), present(b));
        return 'bool';
      case '+':
        return this.#plus(node, present(a), present(b));
      default:
        this.#fits(left, a, 'number');
        this.#fits(right, b, 'number');
        return 'number';
    }
  }

  #fits(node: Node, type: ExprType, wanted: ExprType): void {
    if (fit(type, wanted) !== 'no') return;
    this.#fault('type', node, `this is ${printShort(type)}, and ${printShort(wanted)} is wanted`, cureOf(type, wanted));
  }

  #in(node: NodeOf<'binary'>, value: ExprType, of: ExprType): ExprType {
    const wanted = isList(of) ? of.list : isMap(of) || isFields(of) ? 'string' : 'dyn';
    if (of !== 'dyn' && !isList(of) && !isMap(of) && !isFields(of)) {
      const cure = of === 'string' ? 'Write text.contains(part).' : 'Look into a list or a map.';
      this.#fault('type', node.right, `in cannot look into ${printShort(of)}`, cure);
    } else if (fit(value, wanted) === 'no' && fit(wanted, value) === 'no') {
      this.#fault('type', node, `${printShort(value)} is never in ${printShort(of)}`, 'Convert it first.');
    }
    return 'bool';
  }

  #ordered(node: NodeOf<'binary'>, a: ExprType, b: ExprType): void {
    for (const wanted of ['number', 'string'] as const) {
      if (fit(a, wanted) !== 'no' && fit(b, wanted) !== 'no') return;
    }
    const message = `${printShort(a)} and ${printShort(b)} have no order`;
    this.#fault('type', node, message, 'Compare two numbers, or two strings.');
  }

  #plus(node: NodeOf<'binary'>, a: ExprType, b: ExprType): ExprType {
    for (const wanted of ['number', 'string', { list: 'dyn' }] as const) {
      if (fit(a, wanted) === 'no' || fit(b, wanted) === 'no') continue;
      if (a === 'dyn' && b === 'dyn') return 'dyn';
      if (typeof wanted === 'string') return wanted;
      return { list: isList(a) && isList(b) ? join(a.list, b.list) : 'dyn' };
    }
    const message = `${printShort(b)} cannot be added to ${printShort(a)}`;
    return this.#fault('type', node, message, 'Convert one of them, by string() or double().');
  }

  #call(node: NodeOf<'call'>): ExprType {
    const spec = functionNamed(node.fn);
    if (spec === undefined) {
      for (const arg of node.args) this.#type(arg);
      const cure = nearest(node.fn, Object.keys(FUNCTIONS), 'function');
      return this.#fault('unknown-function', node, `there is no function ${node.fn}`, cure);
    }
    const { params, optional, rest, result } = spec;
    const { length } = node.args;
    if (length < params.length - optional || (rest === null && length > params.length)) {
      for (const arg of node.args) this.#type(arg);
      const message = `${node.fn} takes ${arity(spec)} arguments, and gets ${length}`;
      return this.#fault('arguments', node, message, `${printParams(params)} are what it takes.`);
    }
    node.args.forEach((arg, i) => {
      this.#argument(arg, paramOf(spec, i, length));
    });
    if (node.fn === 'matches') this.#pattern(node);
    return result;
  }

  #argument(arg: Node, param: Param): void {
    if (!isOneOf(param)) {
      this.#want(arg, param);
      return;
    }
    const type = this.#type(arg);
    if (param.oneOf.some((one) => fit(type, one) !== 'no')) return;
    this.#fault('type', arg, `this is ${printShort(type)}, and ${printParams([param])} is wanted`, 'Convert it first.');
  }

  #pattern(node: NodeOf<'call'>): void {
    const arg = node.args[1]!;
    if (arg.is !== 'literal' || typeof arg.value !== 'string') {
      this.#fault('pattern', arg, 'the pattern is not a literal', 'Write the pattern itself: r"^a.*z$".');
      return;
    }
    const pattern = compilePattern(arg.value, arg.at);
    if ('test' in pattern) this.#patterns.set(node.id, pattern);
    else this.#faults.push(pattern);
  }

  #macro(node: NodeOf<'macro'>): ExprType {
    const over = present(this.#type(node.over));
    if (over !== 'dyn' && !isList(over) && !isMap(over) && !isFields(over)) {
      this.#fault(
        'type',
        node.over,
        `${printShort(over)} cannot be gone through`,
        'Go through a list, or the keys of a map.',
      );
    }
    const slot = this.#locals.length;
    if (slot >= LIMITS.macros) {
      this.#fault('too-deep', node, `more than ${LIMITS.macros} macros lie within each other`, 'Cut it into steps.');
    }
    this.#slots.set(node.id, slot);
    const item: ExprType = isList(over) ? over.list : over === 'dyn' ? 'dyn' : 'string';
    this.#locals.push({ name: node.variable, type: item });
    if (node.test !== null) this.#want(node.test, 'bool');
    const body = node.macro === 'map' ? this.#type(node.body) : this.#want(node.body, 'bool');
    this.#locals.pop();
    return node.macro === 'map' ? { list: body } : node.macro === 'filter' ? { list: item } : 'bool';
  }

  #fault(code: string, node: Node, message: string, cure: string): ExprType {
    this.#faults.push({ code: `expression.${code}`, message, cure, at: node.at });
    return 'dyn';
  }
}

function literalType(value: unknown): ExprType {
  if (value === null) return 'null';
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'bool';
}

function isSure(of: ExprType, name: string): boolean {
  return isFields(of) && fieldType(of, name) !== undefined && !of.optional?.includes(name);
}

function cureOf(type: ExprType, wanted: ExprType): string {
  if (wanted === 'bool') return 'Compare it with something.';
  if (wanted === 'number' && type === 'string') return 'Read it by double() or int().';
  if (wanted === 'string' && (type === 'number' || type === 'bool')) return 'Write it by string().';
  return 'Give another value.';
}

function printParams(params: readonly Param[]): string {
  return params
    .map((param) => (isOneOf(param) ? param.oneOf.map(printShort).join(' or ') : printShort(param)))
    .join(', ');
}
