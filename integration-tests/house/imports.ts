import type { Token } from './tokens.ts';

/** One reference of a file to another file or package. */
export interface Import {
  /** As written; `undefined` where it is computed when the file runs. */
  readonly specifier: string | undefined;
  /** True where nothing of it is left once types are stripped. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/**
 * Every way in which a file can name another: `import`, `import type`, `export ... from`, `import()`, also as a
 * type, `require()`, `import.meta.resolve()` and `new URL('...', import.meta.url)`.
 */
export function importsOf(all: readonly Token[]): readonly Import[] {
  const code = all.filter((token) => token.kind !== 'comment');
  const found: Import[] = [];
  for (let i = 0; i < code.length; i++) {
    const token = code[i]!;
    if (token.kind !== 'word' || text(code, i - 1) === '.') continue;
    const one =
      token.text === 'import' ? importAt(code, i) : token.text === 'export' ? exportAt(code, i) : otherAt(code, i);
    if (one !== undefined) found.push(one);
  }
  return found;
}

function importAt(code: readonly Token[], at: number): Import | undefined {
  const next = code[at + 1];
  if (next === undefined) return undefined;
  const { line } = code[at]!;
  if (next.kind === 'string') return { specifier: next.text, typeOnly: false, line };
  if (next.text === '(') return called(code, at + 1, line);
  if (next.text === '.') {
    return text(code, at + 3) === 'resolve' && text(code, at + 4) === '(' ? called(code, at + 4, line) : undefined;
  }
  if (next.text === ':' || next.text === '?' || next.text === '=') return undefined;
  const afterType = text(code, at + 2);
  const typeOnly = next.text === 'type' && afterType !== 'from' && afterType !== ',';
  return fromClause(code, at + 1, typeOnly, line);
}

function exportAt(code: readonly Token[], at: number): Import | undefined {
  const typeOnly = text(code, at + 1) === 'type';
  const start = typeOnly ? at + 2 : at + 1;
  const opening = text(code, start);
  if (opening !== '{' && opening !== '*') return undefined;
  const end = opening === '{' ? closing(code, start) + 1 : text(code, start + 1) === 'as' ? start + 3 : start + 1;
  if (text(code, end) !== 'from') return undefined;
  return { specifier: code[end + 1]?.text, typeOnly, line: code[at]!.line };
}

function otherAt(code: readonly Token[], at: number): Import | undefined {
  const { text: word, line } = code[at]!;
  if (word === 'require' && text(code, at + 1) === '(') return called(code, at + 1, line);
  const isUrl =
    word === 'URL' && text(code, at + 1) === '(' && text(code, at + 3) === ',' && text(code, at + 4) === 'import';
  if (!isUrl) return undefined;
  const found = called(code, at + 1, line);
  return found.specifier === undefined || /\.(ts|mjs|js)$/.test(found.specifier) ? found : undefined;
}

/** The specifier in the parenthesis that opens at `at`. */
function called(code: readonly Token[], at: number, line: number): Import {
  const inside = code[at + 1];
  const end = text(code, at + 2);
  const literal = (inside?.kind === 'string' || inside?.kind === 'template') && (end === ')' || end === ',');
  return { specifier: literal ? inside.text : undefined, typeOnly: false, line };
}

function fromClause(code: readonly Token[], start: number, typeOnly: boolean, line: number): Import | undefined {
  for (let i = start; i < code.length; i++) {
    if (text(code, i) === '{') i = closing(code, i);
    else if (code[i]!.text === 'from' && code[i + 1]?.kind === 'string') {
      return { specifier: code[i + 1]!.text, typeOnly, line };
    } else if (text(code, i) === ';') return undefined;
  }
  return undefined;
}

function closing(code: readonly Token[], open: number): number {
  let at = open + 1;
  while (at < code.length && text(code, at) !== '}') at++;
  return at;
}

/** The text of a token that is code, and nothing for a string that happens to look like it. */
function text(code: readonly Token[], at: number): string | undefined {
  const token = code[at];
  return token === undefined || token.kind === 'string' || token.kind === 'template' ? undefined : token.text;
}
