import { add, concat, finite } from './arithmetic.ts';
import { type Node, type NodeOf, weightOf } from './ast.ts';
import type { Checked } from './check.ts';
import type { ExprType, Scope } from './expressions.ts';
import { burn } from './failure.ts';
import { FUNCTIONS, isOneOf, paramOf } from './functions.ts';
import { isIdentity, isLookedAt, isRead, look, lookThrough, orderOf } from './looks.ts';
import { made } from './sizes.ts';
import * as values from './values.ts';

/** Walks the tree: slow and obvious. What the compiled form does is held against this. */
export function interpret(checked: Checked, scope: Scope): unknown {
  const value = new Walk(checked, scope).value(checked.root);
  return checked.look === null ? value : lookThrough(checked.root.id, value, checked.look);
}

class Walk {
  readonly #checked: Checked;
  readonly #scope: Scope;
  readonly #locals: unknown[] = [];

  constructor(checked: Checked, scope: Scope) {
    this.#checked = checked;
    this.#scope = scope;
  }

  value(node: Node): unknown {
    const value = this.#plain(node);
    const type = this.#typeOf(node);
    return isRead(node) && isLookedAt(type) ? look(node.id, value, type) : value;
  }

  #plain(node: Node): unknown {
    const site = node.id;
    switch (node.is) {
      case 'literal':
        return node.value;
      case 'list':
        return values.list(site, ...node.items.map((item) => this.value(item)));
      case 'map':
        return values.map(site, ...node.entries.flatMap(({ key, value }) => [this.#string(key), this.value(value)]));
      case 'name': {
        const slot = this.#checked.slots.get(site);
        return slot === undefined ? values.variable(site, this.#scope, node.name) : this.#locals[slot];
      }
      case 'field':
        return (node.optional ? values.optional : values.field)(site, this.value(node.of), node.name);
      case 'has':
        return values.has(site, this.value(node.of), node.name);
      case 'index':
        return (node.optional ? values.optionalIndex : values.index)(site, this.value(node.of), this.value(node.key));
      case 'not':
        return !this.#bool(node.of);
      case 'negate':
        return -this.#number(node.of);
      case 'and':
        return this.#bool(node.left) && this.#bool(node.right);
      case 'or':
        return this.#bool(node.left) || this.#bool(node.right);
      case 'binary':
        return this.#binary(node);
      case 'choose':
        return this.#bool(node.test) ? this.value(node.then) : this.value(node.otherwise);
      case 'or-value': {
        const value = this.value(node.of);
        return value !== null ? value : this.value(node.otherwise);
      }
      case 'call':
        return this.#call(node);
      case 'macro':
        return this.#macro(node);
    }
  }

  #binary({ id: site, op, left, right }: NodeOf<'binary'>): unknown {
    switch (op) {
      case '==':
        return this.#equal(site, left, right);
      case '!=':
        return !this.#equal(site, left, right);
      case 'in':
        return values.within(site, this.value(left), this.value(right));
      case '<':
        return this.#compare(site, left, right) < 0;
      case '<=':
        return this.#compare(site, left, right) <= 0;
      case '>':
        return this.#compare(site, left, right) > 0;
      case '>=':
        return this.#compare(site, left, right) >= 0;
      case '+':
        return this.#plus(site, left, right);
      case '-':
        return finite(site, this.#number(left) - this.#number(right));
      case '*':
        return finite(site, this.#number(left) * this.#number(right));
      case '/':
        return finite(site, this.#number(left) / this.#number(right));
      case '%':
        return finite(site, this.#number(left) % this.#number(right));
    }
  }

  #equal(site: number, left: Node, right: Node): boolean {
    const [a, b] = [this.value(left), this.value(right)];
    return isIdentity(this.#typeOf(left), this.#typeOf(right)) ? a === b : values.equal(site, a, b);
  }

  #compare(site: number, left: Node, right: Node): number {
    const order = orderOf(this.#typeOf(left), this.#typeOf(right));
    if (order === null) return values.compare(site, this.value(left), this.value(right));
    return values.compare(site, this.#as(left, order), this.#as(right, order));
  }

  #plus(site: number, left: Node, right: Node): unknown {
    const order = orderOf(this.#typeOf(left), this.#typeOf(right));
    if (order === 'number') return finite(site, this.#number(left) + this.#number(right));
    if (order === 'string') return concat(site, this.#string(left), this.#string(right));
    return add(site, this.value(left), this.value(right));
  }

  #call({ id: site, fn, args }: NodeOf<'call'>): unknown {
    const spec = FUNCTIONS[fn]!;
    const given = args.map((arg, i) => {
      const param = paramOf(spec, i, args.length);
      return isOneOf(param) ? this.value(arg) : this.#as(arg, param);
    });
    const pattern = this.#checked.patterns.get(site);
    return (spec.run as (...args: unknown[]) => unknown)(
      site,
      ...(pattern === undefined ? given : [given[0], pattern]),
    );
  }

  #macro(node: NodeOf<'macro'>): unknown {
    const { id: site, macro, test, body } = node;
    const slot = this.#checked.slots.get(site)!;
    const weight = weightOf(body) + (test === null ? 0 : weightOf(test));
    const found: unknown[] = [];
    for (const item of values.items(site, this.value(node.over))) {
      burn(site, weight);
      this.#locals[slot] = item;
      if (test !== null && !this.#bool(test)) continue;
      if (macro === 'map') found.push(this.value(body));
      else if (this.#bool(body)) {
        if (macro === 'exists') return true;
        found.push(item);
      } else if (macro === 'all') return false;
    }
    if (macro === 'all' || macro === 'exists') return macro === 'all';
    return macro === 'exists_one' ? found.length === 1 : made(site, found);
  }

  #bool(node: Node): boolean {
    return this.#as(node, 'bool') as boolean;
  }

  #number(node: Node): number {
    return this.#as(node, 'number') as number;
  }

  #string(node: Node): string {
    return this.#as(node, 'string') as string;
  }

  #as(node: Node, type: ExprType): unknown {
    return look(node.id, this.value(node), type);
  }

  #typeOf(node: Node): ExprType {
    return this.#checked.types[node.id]!;
  }
}
