import type { Compiled, CompileOptions, Expression, ExprType } from '../expressions/expressions.ts';
import type { Expressions } from './scopes.ts';

/** A small language with the shape of the real one: enough for the documents of tests, no types but those of names. */
export const smallExpressions: Expressions = { compile: compileSmall, typeOf: () => 'dyn' };

type Scope = Readonly<Record<string, unknown>>;
type Run = (scope: Scope) => unknown;

const TOKEN = /\s*(\d+(?:\.\d+)?|'[^']*'|"[^"]*"|[A-Za-z_]\w*|\.\?|&&|\|\||[=!<>]=|[-+*/%<>!?:()[\]{},.])/y;
const LEVELS = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']];

function compileSmall(source: string, { scope }: CompileOptions): Compiled<unknown> {
  try {
    const reads = new Set<string>();
    const run = parse(source, scope, reads);
    const expression: Expression = { source, type: 'dyn', reads: [...reads], evaluate: run, interpret: run };
    return { expression };
  } catch (thrown) {
    const [code, message] = String((thrown as Error).message).split('|') as [string, string];
    return { faults: [{ code, message, cure: 'Correct it.', at: { offset: 0, line: 1, column: 1 } }] };
  }
}

function tokensOf(source: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const found = TOKEN.exec(source);
    if (found === null) throw new Error(`expression.syntax|this cannot be read: ${source.slice(0, 50)}`);
    tokens.push(found[1]!);
  }
  return tokens;
}

function parse(source: string, scope: { readonly [name: string]: ExprType }, reads: Set<string>): Run {
  const tokens = tokensOf(source);
  let at = 0;
  const fail = (): never => {
    throw new Error(`expression.syntax|unexpected ${tokens[at] ?? 'end'}`);
  };
  const take = (text: string) => {
    const is = tokens[at] === text;
    if (is) at++;
    return is;
  };
  const expect = (text: string) => void (take(text) || fail());
  const choice = (): Run => {
    const condition = binary(0);
    if (!take('?')) return condition;
    const yes = choice();
    expect(':');
    const no = choice();
    return (s) => (condition(s) ? yes(s) : no(s));
  };
  const binary = (level: number): Run => {
    if (level === LEVELS.length) return unary();
    let left = binary(level + 1);
    while (LEVELS[level]!.includes(tokens[at] ?? '')) {
      const [a, op] = [left, tokens[at++]!];
      const b = binary(level + 1);
      left = (s) => apply(op, a, b, s);
    }
    return left;
  };
  const unary = (): Run => {
    if (take('!'))
      return (
        (a) => (s) =>
          !a(s)
      )(unary());
    if (take('-'))
      return (
        (a) => (s) =>
          -(a(s) as number)
      )(unary());
    return postfix(primary());
  };
  const postfix = (target: Run): Run => {
    if (take('.')) return postfix(field(target, tokens[at++] ?? fail()));
    if (take('.?')) {
      const name = tokens[at++] ?? fail();
      return postfix((s) => (target(s) as { readonly [name: string]: unknown } | null)?.[name] ?? null);
    }
    if (!take('[')) return target;
    const index = choice();
    expect(']');
    return postfix((s) => field(target, String(index(s)))(s));
  };
  const list = (end: string): Run[] => {
    const items: Run[] = [];
    while (!take(end)) {
      items.push(choice());
      if (tokens[at] !== end) expect(',');
    }
    return items;
  };
  const primary = (): Run => {
    const token = tokens[at++];
    if (token === undefined) return fail();
    if (/^\d/.test(token)) return () => Number(token);
    if (/^['"]/.test(token)) return () => token.slice(1, -1);
    if (token === '(') {
      const inner = choice();
      expect(')');
      return inner;
    }
    if (token === '[')
      return (
        (items) => (s: Scope) =>
          items.map((item) => item(s))
      )(list(']'));
    if (token in CONSTANTS) return () => CONSTANTS[token as keyof typeof CONSTANTS];
    if (!/^\w+$/.test(token)) return fail();
    if (token === 'size' && take('('))
      return (
        ([a]) =>
        (s: Scope) =>
          (a!(s) as string).length
      )(list(')'));
    if (!Object.hasOwn(scope, token)) throw new Error(`expression.unknown-name|there is no ${token} here`);
    reads.add(token);
    return (s) => s[token];
  };
  const run = choice();
  if (at < tokens.length) fail();
  return run;
}

const CONSTANTS = { true: true, false: false, null: null };

function field(target: Run, name: string): Run {
  return (scope) => {
    const object = target(scope) as { readonly [name: string]: unknown };
    if (typeof object === 'object' && object !== null && Object.hasOwn(object, name)) return object[name];
    throw Object.assign(new Error(`there is no ${name}`), { code: 'expression.failed' });
  };
}

function apply(op: string, a: Run, b: Run, scope: Readonly<Record<string, unknown>>): unknown {
  const left = a(scope) as number;
  if (op === '||') return left || b(scope);
  if (op === '&&') return left && b(scope);
  const right = b(scope) as number;
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      return (right as unknown as readonly unknown[]).includes(left);
  }
}
