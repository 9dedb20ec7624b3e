/**
 * A small lexer of TypeScript: enough to see imports and words apart from comments, strings, templates and
 * regular expressions. It does not parse; the checks look at runs of tokens.
 */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'number' | 'regex' | 'punctuation' | 'comment';
  /** For strings the content without quotes; for all others the text as it stands. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /\.?\d(?:[\w.]|(?<=[eE])[+-])*/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const CHUNK = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const SPACE = /\s+/y;

/** After these words a slash begins a regular expression; after other words it divides. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'new',
  'await',
  'yield',
]);

export function tokens(source: string): readonly Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #out: Token[] = [];
  #at = 0;
  #line = 1;
  /** For each open template expression, the number of braces open inside it. */
  readonly #templates: number[] = [];

  constructor(source: string) {
    this.#source = source.startsWith('#!') ? `//${source.slice(2)}` : source;
  }

  run(): readonly Token[] {
    while (this.#at < this.#source.length) this.#next();
    return this.#out;
  }

  #next(): void {
    if (this.#match(SPACE) !== undefined) return;
    const first = this.#source[this.#at]!;
    if (this.#push('comment', COMMENT) || this.#push('string', STRING)) return;
    if (first === '`') {
      this.#at++;
      this.#template();
    } else if (first === '}' && this.#templates.at(-1) === 0) {
      this.#at++;
      this.#templates.pop();
      this.#template();
    } else if (!(first === '/' && this.#regexMayStand() && this.#push('regex', REGEX))) {
      if (this.#push('number', NUMBER) || this.#push('word', WORD)) return;
      this.#punctuation(first);
    }
  }

  #punctuation(first: string): void {
    const open = this.#templates.length - 1;
    if (first === '{' && open >= 0) this.#templates[open]!++;
    if (first === '}' && open >= 0) this.#templates[open]!--;
    this.#out.push({ kind: 'punctuation', text: first, line: this.#line });
    this.#at++;
  }

  /** From behind a backquote or a closed expression to the next expression or the end of the template. */
  #template(): void {
    const line = this.#line;
    const text = this.#match(CHUNK) ?? '';
    this.#out.push({ kind: 'template', text, line });
    if (this.#source[this.#at] === '`') this.#at++;
    else if (this.#at < this.#source.length) {
      this.#at += 2;
      this.#templates.push(0);
    }
  }

  #regexMayStand(): boolean {
    const last = this.#out.findLast((token) => token.kind !== 'comment');
    if (last === undefined) return true;
    if (last.kind === 'word') return BEFORE_REGEX.has(last.text);
    return last.kind === 'punctuation' && !')]}'.includes(last.text);
  }

  #push(kind: Token['kind'], pattern: RegExp): boolean {
    const line = this.#line;
    const text = this.#match(pattern);
    if (text === undefined) return false;
    this.#out.push({ kind, text: kind === 'string' ? text.slice(1, -1) : text, line });
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0];
    if (text === undefined || text === '') return undefined;
    this.#at += text.length;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.#line++;
    return text;
  }
}
