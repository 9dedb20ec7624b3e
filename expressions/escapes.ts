import { refuse } from './faults.ts';

const ESCAPE = /\\(?:[xX]([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2})|([abfnrtv\\?"'`]))?/g;

const SIMPLE: { readonly [letter: string]: string } = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text that a string means. `start` is where its body stands in the source. */
export function unescaped(body: string, start: number): string {
  return body.replace(ESCAPE, (text, hex, short, long, octal, letter, at: number) => {
    const code = hex ?? short ?? long;
    if (code !== undefined) return character(Number.parseInt(code, 16), start + at);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (letter !== undefined) return SIMPLE[letter] ?? letter;
    refuse(
      'expression.syntax',
      start + at,
      `the escape ${text}${body[at + 1] ?? ''} is not known`,
      'Known are \\n, \\t, \\\\, \\\', \\", \\xHH, \\uHHHH, \\UHHHHHHHH; r"..." takes text as it stands.',
    );
  });
}

function character(code: number, at: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    refuse('expression.syntax', at, 'an escape is no character', 'Characters beyond U+FFFF are written \\UHHHHHHHH.');
  }
  return String.fromCodePoint(code);
}
