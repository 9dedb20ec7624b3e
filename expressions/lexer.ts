import { unescaped } from './escapes.ts';
import { refuse } from './faults.ts';

export interface Token {
  readonly kind: 'name' | 'quoted' | 'number' | 'string' | 'sign' | 'end';
  /** Of names, quoted names and signs. */
  readonly text: string;
  readonly value: number | string;
  readonly at: number;
  readonly end: number;
}

const SPACE = /(?:[ \t\r\n\f]|\/\/[^\r\n]*)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /`([A-Za-z0-9_./ -]*)`/y;
const NUMBER = /0[xX][0-9A-Fa-f]+u?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?/y;
/** Raw ones first: in them a backslash is a letter. */
const STRING =
  /[rR](?:'''([\s\S]*?)'''|"""([\s\S]*?)"""|'([^'\r\n]*)'|"([^"\r\n]*)")|'''([\s\S]*?)'''|"""([\s\S]*?)"""|'((?:[^'\\\r\n]|\\[^\r\n])*)'|"((?:[^"\\\r\n]|\\[^\r\n])*)"/y;
const SIGN = /&&|\|\||==|!=|<=|>=|\.\?|\?\.(?![0-9])|[-+*/%<>!?:.,()[\]{}]/y;

/** The tokens of a source, the last of kind `end`. */
export function tokens(source: string): readonly Token[] {
  const out: Token[] = [];
  let at = skip(source, 0);
  while (at < source.length) {
    const token = tokenAt(source, at);
    out.push(token);
    at = skip(source, token.end);
  }
  out.push({ kind: 'end', text: 'the end', value: '', at: source.length, end: source.length });
  return out;
}

function skip(source: string, at: number): number {
  return at + (match(SPACE, source, at)?.[0].length ?? 0);
}

function tokenAt(source: string, at: number): Token {
  const string = match(STRING, source, at);
  if (string !== undefined) return stringToken(source, at, string);
  const name = match(NAME, source, at);
  if (name !== undefined) {
    if (/^[bB][rR]?$/.test(name[0]) && /['"]/.test(source[at + name[0].length] ?? '')) {
      refuse('expression.syntax', at, 'literals of bytes are not part of the language', 'Write a string.');
    }
    return token('name', name[0], name[0], at);
  }
  const number = match(NUMBER, source, at);
  if (number !== undefined) return numberToken(source, at, number[0]);
  const quoted = match(QUOTED, source, at);
  if (quoted !== undefined) return { ...token('quoted', quoted[0], quoted[1]!, at), text: quoted[1]! };
  const sign = match(SIGN, source, at);
  if (sign !== undefined) return token('sign', sign[0], sign[0], at);
  return strange(source, at);
}

function numberToken(source: string, at: number, text: string): Token {
  if (/[A-Za-z0-9_]/.test(source[at + text.length] ?? '')) {
    refuse('expression.syntax', at, 'a number runs into a name', 'Put a space or an operator between them.');
  }
  const value = Number(text.replace(/[uU]$/, ''));
  if (!Number.isFinite(value) || (Number.isInteger(value) && !/[.eE]/.test(text) && !Number.isSafeInteger(value))) {
    refuse('expression.number', at, `the number ${text} is beyond what doubles hold exactly`, 'Stay within ±2^53.');
  }
  return token('number', text, value, at);
}

function stringToken(source: string, at: number, found: RegExpExecArray): Token {
  const raw = /^[rR]/.test(found[0]);
  const body = found.slice(1).find((part) => part !== undefined)!;
  const quotes = (found[0].length - body.length - (raw ? 1 : 0)) / 2;
  const value = raw ? body : unescaped(body, at + quotes);
  if (!value.isWellFormed()) {
    refuse('expression.syntax', at, 'half of a surrogate pair stands in a string', 'Write the whole character.');
  }
  if (/['"`]/.test(source[at + found[0].length] ?? '')) {
    refuse('expression.syntax', at + found[0].length, 'two strings stand side by side', 'Join them by +.');
  }
  return token('string', found[0], value, at);
}

function strange(source: string, at: number): never {
  const character = String.fromCodePoint(source.codePointAt(at)!);
  if (character === "'" || character === '"') {
    refuse('expression.syntax', at, 'a string does not end on its line', `Close it by ${character}.`);
  }
  const known: { readonly [character: string]: string } = {
    '=': 'Compare by ==.',
    '&': 'Write && for and.',
    '|': 'Write || for or.',
    '`': 'Only names of fields stand in backquotes, such as a.`b-c`.',
    $: 'Join texts by +; names begin with a letter or _.',
  };
  const code = `U+${source.codePointAt(at)!.toString(16).toUpperCase().padStart(4, '0')}`;
  const printed = /[!-~]/.test(character) ? character : code;
  refuse(
    'expression.syntax',
    at,
    `the character ${printed} is not part of the language`,
    known[character] ?? 'Take it out, or put it into a string.',
  );
}

function token(kind: Token['kind'], text: string, value: number | string, at: number): Token {
  return { kind, text, value, at, end: at + text.length };
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source) ?? undefined;
}
