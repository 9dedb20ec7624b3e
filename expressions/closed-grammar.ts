import { parse } from 'acorn';
import { FlowError, messageOf } from '../core/errors.ts';
import { HELPERS } from './helpers.ts';
import { FORBIDDEN } from './limits.ts';

/**
 * The second look at generated code: it is parsed by another parser, and each node is held against what may stand there.
 * Code that does not pass is never compiled. It knows nothing of the generator but the names that both use.
 */
export function assertClosed(code: string): void {
  let program: Tree;
  try {
    program = parse(code, { ecmaVersion: 2022, sourceType: 'script', allowReturnOutsideFunction: true }) as never;
  } catch (thrown) {
    unsafe(`it cannot be parsed: ${messageOf(thrown)}`);
  }
  const body = listOf(program, 'body');
  const last = body.at(-1);
  body.slice(0, -1).forEach((node, i) => {
    macro(node, i);
  });
  if (last === undefined) unsafe('it is empty');
  only(last, 'ReturnStatement');
  const fn = child(last, 'argument');
  only(fn, 'FunctionExpression');
  plainFunction(fn, /^e$/, /^s$/);
  for (const node of listOf(child(fn, 'body'), 'body')) statement(node);
}

/** Nodes of acorn, of which nothing is taken for granted. */
interface Tree {
  readonly type: string;
  readonly [name: string]: unknown;
}

const BINARY = new Set(['+', '-', '*', '/', '%', '===', '!==', '<', '<=', '>', '>=']);
const LOGICAL = new Set(['&&', '||']);
const UNARY = new Set(['!', '-', 'typeof']);
const READABLE = /^(?:t\d+|v\d+|s|l|i|n|r|undefined)$/;

/** Each calls only such as stand before it, so that none calls itself. */
function macro(node: Tree, place: number): void {
  only(node, 'FunctionDeclaration');
  plainFunction(node, new RegExp(`^m${place}$`), /^(?:s|v\d+)$/);
  if (calledBy(node).some((name) => Number(name.slice(1)) >= place)) unsafe('it has a function that calls itself');
  for (const inner of listOf(child(node, 'body'), 'body')) statement(inner);
}

/** The names that are called anywhere within. */
function calledBy(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(calledBy);
  const { type, callee, ...rest } = node as { type?: unknown; callee?: { type?: unknown; name?: unknown } };
  const inner = calledBy(Object.values(rest));
  return type === 'CallExpression' && callee?.type === 'Identifier' ? [String(callee.name), ...inner] : inner;
}

function plainFunction(node: Tree, name: RegExp, param: RegExp): void {
  if (node['async'] !== false || node['generator'] !== false) unsafe('it has a function that is not plain');
  identifier(child(node, 'id'), name);
  for (const one of listOf(node, 'params')) identifier(one, param);
  only(child(node, 'body'), 'BlockStatement');
}

function statement(node: Tree): void {
  switch (node.type) {
    case 'ReturnStatement':
      expression(child(node, 'argument'));
      break;
    case 'ExpressionStatement':
      effect(child(node, 'expression'));
      break;
    case 'VariableDeclaration':
      declaration(node);
      break;
    case 'IfStatement':
      if (node['alternate'] !== null) unsafe('it has an else');
      expression(child(node, 'test'));
      statement(child(node, 'consequent'));
      break;
    case 'ForStatement':
      loop(node);
      break;
    default:
      unsafe(`it has a ${node.type}`);
  }
}

function declaration(node: Tree): void {
  const kind = node['kind'];
  if (kind !== 'let' && kind !== 'const') unsafe(`it has a ${String(kind)}`);
  for (const one of listOf(node, 'declarations')) {
    identifier(child(one, 'id'), kind === 'let' ? /^(?:t\d+|i|n)$/ : /^(?:l|r|v\d+)$/);
    if (one['init'] !== null) expression(child(one, 'init'));
  }
}

/** `for (let i = 0; i < l.length; i++) { h.burn(...); ... }` and nothing else. */
function loop(node: Tree): void {
  const init = child(node, 'init');
  only(init, 'VariableDeclaration');
  declaration(init);
  const test = child(node, 'test');
  if (test.type !== 'BinaryExpression' || test['operator'] !== '<') unsafe('it has a loop that does not count');
  identifier(child(test, 'left'), /^i$/);
  member(child(test, 'right'));
  const update = child(node, 'update');
  only(update, 'UpdateExpression');
  effect(update);
  identifier(child(update, 'argument'), /^i$/);
  only(child(node, 'body'), 'BlockStatement');
  const body = listOf(child(node, 'body'), 'body');
  const first = body[0];
  if (first?.type !== 'ExpressionStatement' || !isBurn(child(first, 'expression')))
    unsafe('it has a loop without fuel');
  for (const inner of body) statement(inner);
}

function isBurn(node: Tree): boolean {
  if (node.type !== 'CallExpression') return false;
  const callee = child(node, 'callee');
  const steps = listOf(node, 'arguments')[1]?.['value'];
  return (
    callee.type === 'MemberExpression' &&
    child(callee, 'property')['name'] === 'burn' &&
    typeof steps === 'number' &&
    steps >= 1
  );
}

function effect(node: Tree): void {
  if (node.type === 'CallExpression') {
    call(node);
    return;
  }
  only(node, 'UpdateExpression');
  if (node['operator'] !== '++' || node['prefix'] !== false) unsafe('it counts otherwise than by ++');
  identifier(child(node, 'argument'), /^[in]$/);
}

function expression(node: Tree): void {
  switch (node.type) {
    case 'Literal':
      literal(node);
      break;
    case 'Identifier':
      identifier(node, READABLE);
      break;
    case 'MemberExpression':
      member(node);
      break;
    case 'CallExpression':
      call(node);
      break;
    case 'UnaryExpression':
      if (!UNARY.has(String(node['operator']))) unsafe(`it has the operator ${String(node['operator'])}`);
      expression(child(node, 'argument'));
      break;
    case 'BinaryExpression':
    case 'LogicalExpression': {
      const known = node.type === 'BinaryExpression' ? BINARY : LOGICAL;
      if (!known.has(String(node['operator']))) unsafe(`it has the operator ${String(node['operator'])}`);
      expression(child(node, 'left'));
      expression(child(node, 'right'));
      break;
    }
    case 'ConditionalExpression':
      expression(child(node, 'test'));
      expression(child(node, 'consequent'));
      expression(child(node, 'alternate'));
      break;
    case 'AssignmentExpression':
      if (node['operator'] !== '=') unsafe(`it assigns by ${String(node['operator'])}`);
      identifier(child(node, 'left'), /^t\d+$/);
      expression(child(node, 'right'));
      break;
    case 'SequenceExpression':
      for (const one of listOf(node, 'expressions')) expression(one);
      break;
    default:
      unsafe(`it has a ${node.type}`);
  }
}

function literal(node: Tree): void {
  const { value } = node;
  if ('regex' in node || 'bigint' in node) unsafe('it has a literal of another kind');
  if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) unsafe('it has a strange literal');
}

/** A field by a literal name, an item of the list of a loop, or a constant. */
function member(node: Tree): void {
  only(node, 'MemberExpression');
  if (node['optional'] === true) unsafe('it has an optional member');
  const object = child(node, 'object');
  const property = child(node, 'property');
  if (node['computed'] !== true) {
    identifier(object, /^l$/);
    identifier(property, /^length$/);
  } else if (property.type === 'Identifier') {
    identifier(object, /^l$/);
    identifier(property, /^i$/);
  } else {
    only(property, 'Literal');
    const { value } = property;
    if (typeof value === 'string' && !FORBIDDEN.has(value)) identifier(object, /^(?:s|t\d+)$/);
    else if (typeof value === 'number') identifier(object, /^c$/);
    else unsafe('it reads a field that may not be read');
  }
}

function call(node: Tree): void {
  if (node['optional'] === true) unsafe('it has an optional call');
  const callee = child(node, 'callee');
  if (callee.type === 'Identifier') identifier(callee, /^m\d+$/);
  else {
    only(callee, 'MemberExpression');
    if (callee['computed'] !== false || callee['optional'] === true) unsafe('it calls what it computes');
    identifier(child(callee, 'object'), /^h$/);
    const name = child(callee, 'property')['name'];
    if (typeof name !== 'string' || !Object.hasOwn(HELPERS, name)) unsafe(`it calls h.${String(name)}`);
  }
  for (const one of listOf(node, 'arguments')) expression(one);
}

function identifier(node: Tree, name: RegExp): void {
  only(node, 'Identifier');
  if (typeof node['name'] !== 'string' || !name.test(node['name'])) unsafe(`it has the name ${String(node['name'])}`);
}

function only(node: Tree, type: string): void {
  if (node.type !== type) unsafe(`it has a ${node.type} where only a ${type} may stand`);
}

function child(node: Tree, name: string): Tree {
  const found = node[name];
  if (typeof found !== 'object' || found === null || !('type' in found)) return unsafe(`a ${node.type} has no ${name}`);
  return found as Tree;
}

function listOf(node: Tree, name: string): readonly Tree[] {
  const found = node[name];
  return Array.isArray(found) ? (found as readonly Tree[]) : unsafe(`a ${node.type} has no ${name}`);
}

function unsafe(reason: string): never {
  throw new FlowError(
    'expression.unsafe',
    `the code made from an expression was refused: ${reason}. It was not run; report the expression, and take it out`,
  );
}
