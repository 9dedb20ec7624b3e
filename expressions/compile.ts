import vm from 'node:vm';
import { FlowError } from '../core/errors.ts';
import { childrenOf, type Node } from './ast.ts';
import { type Checked, check } from './check.ts';
import { assertClosed } from './closed-grammar.ts';
import { costOf } from './cost.ts';
import type { Compiled, CompileOptions, Expression, ExpressionFault, ExprType, Scope } from './expressions.ts';
import { Failure, refuel } from './failure.ts';
import { type Fault, placed, placeOf, quote, Refused } from './faults.ts';
import { generate } from './generate.ts';
import { HELPERS } from './helpers.ts';
import { interpret } from './interpret.ts';
import { FORBIDDEN, LIMITS } from './limits.ts';
import { parse } from './parser.ts';
import { readsOf } from './reads.ts';

/** See {@link Expression}. */
export function compileExpression<T = unknown>(source: string, options: CompileOptions): Compiled<T> {
  const checked = checkedOf(source, options);
  if (!('root' in checked)) return { faults: checked };
  return { expression: new CompiledExpression<T>(source, checked) };
}

function checkedOf(source: string, options: CompileOptions): Checked | readonly ExpressionFault[] {
  const told = (faults: readonly Fault[]) => [...faults].sort((a, b) => a.at - b.at).map((one) => placed(source, one));
  let root: Node;
  try {
    root = parse(source);
  } catch (thrown) {
    if (thrown instanceof Refused) return told([thrown.fault]);
    throw thrown;
  }
  const bad = Object.keys(options.scope).find((name) => FORBIDDEN.has(name));
  if (bad !== undefined) throw new TypeError(`a variable cannot be called ${bad}`);
  const checked = check(root, options);
  if (!('root' in checked)) return told(checked);
  const cost = costOf(root);
  if (cost <= LIMITS.cost) return checked;
  const message = `the expression takes some ${cost} steps, more than ${LIMITS.cost}`;
  return told([{ code: 'expression.too-costly', message, cure: 'Do less within its macros.', at: 0 }]);
}

class CompiledExpression<T> implements Expression<T> {
  readonly source: string;
  readonly type: ExprType;
  readonly reads: readonly string[];
  readonly #checked: Checked;
  readonly #run: (scope: Scope) => unknown;
  /** Only a macro meets a value again that it has built. */
  readonly #counted: boolean;

  constructor(source: string, checked: Checked) {
    this.source = source;
    this.type = checked.look ?? checked.types[checked.root.id]!;
    this.reads = readsOf(checked);
    this.#checked = checked;
    this.#run = link(checked);
    this.#counted = maps(checked.root);
  }

  evaluate(scope: Scope): T {
    refuel(this.#counted);
    try {
      return this.#run(scope) as T;
    } catch (thrown) {
      throw this.#told(thrown);
    }
  }

  interpret(scope: Scope): T {
    refuel(this.#counted);
    try {
      return interpret(this.#checked, scope) as T;
    } catch (thrown) {
      throw this.#told(thrown);
    }
  }

  #told(thrown: unknown): unknown {
    if (!(thrown instanceof Failure)) return thrown;
    const node = nodeAt(this.#checked.root, thrown.site)!;
    const { line, column } = placeOf(this.source, node.at);
    const where = `line ${line}, column ${column} of the expression`;
    return new FlowError(
      'expression.failed',
      `${quote(this.source, node)} (${where}) ${thrown.message}. ${thrown.cure}`,
    );
  }
}

function nodeAt(node: Node, id: number): Node | undefined {
  if (node.id === id) return node;
  for (const child of childrenOf(node)) {
    const found = nodeAt(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function maps(node: Node): boolean {
  return (node.is === 'macro' && node.macro === 'map') || childrenOf(node).some(maps);
}

let context: vm.Context | undefined;

/** The only place where text becomes code: in a context of its own, in which no code can be made from strings. */
function link(checked: Checked): (scope: Scope) => unknown {
  const { code, constants } = generate(checked);
  assertClosed(code);
  context ??= vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  const make = vm.compileFunction(`'use strict';\n${code}`, ['h', 'c'], { parsingContext: context });
  return make(HELPERS, constants) as (scope: Scope) => unknown;
}
