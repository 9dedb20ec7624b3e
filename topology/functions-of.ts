import { assert } from '../core/assert.ts';
import { compileExpression, type Expression } from '../expressions/expressions.ts';
import { isExpression, sourceOfExpression } from './expr.ts';
import { expressionRole } from './expression-roles.ts';
import type { CodeRole } from './node-code.ts';
import type { CodeRef, PlanNode } from './plan.ts';
import type { Program } from './program.ts';
import { typeOfSerde } from './serde-types.ts';

/**
 * The function that a node names in a role. An expression is compiled for the caller alone, so that the runtime
 * learns the shapes of its records and of no others. The function declares as many parameters as the expression reads:
 * so a key that it does not name is not decoded.
 */
export function functionOf<F>({ plan, code }: Program, node: PlanNode, role: CodeRole, ref: CodeRef): F {
  if (!isExpression(ref)) return code.fn(ref) as F;
  const nodeNamed = (id: string) => plan.nodes.find((one) => one.id === id);
  const given = expressionRole(node, role, nodeNamed, (format) => typeOfSerde(code.serde(format)));
  assert(given !== undefined, () => `${node.id} cannot have an expression as its ${role}`);
  const source = sourceOfExpression(ref);
  const { expression } = compileExpression(source, given);
  assert(expression !== undefined, () => `the plan was checked, and the expression ${source} of ${node.id} was not`);
  return asFunction(expression, given.params) as F;
}

/** With one object for the scope, filled anew at each call. Undefined is null: in JSON there is no other nothing. */
function asFunction(expression: Expression, params: readonly string[]): unknown {
  const scope: Record<string, unknown> = Object.fromEntries(params.map((name) => [name, null]));
  const [first, second, third] = params;
  const reads = (name: string | undefined) =>
    name !== undefined && expression.reads.some((path) => path === name || path.startsWith(`${name}.`));
  if (first === undefined) return () => expression.evaluate(scope);
  if (third !== undefined && reads(third)) {
    return (a: unknown, b: unknown, c: unknown) => {
      scope[first] = a ?? null;
      scope[second!] = b ?? null;
      scope[third] = c ?? null;
      return expression.evaluate(scope);
    };
  }
  if (third !== undefined || reads(second)) {
    return (a: unknown, b: unknown) => {
      scope[first] = a ?? null;
      scope[second!] = b ?? null;
      return expression.evaluate(scope);
    };
  }
  return (a: unknown) => {
    scope[first] = a ?? null;
    return expression.evaluate(scope);
  };
}
