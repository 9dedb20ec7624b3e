import { RE2JS } from 're2js';
import { messageOf } from '../core/errors.ts';
import { burn } from './failure.ts';
import type { Fault } from './faults.ts';
import { LIMITS } from './limits.ts';

/** A compiled pattern, matched in time linear in the text. */
export interface Pattern {
  readonly test: (text: string) => boolean;
  readonly size: number;
}

export function compilePattern(source: string, at: number): Pattern | Fault {
  try {
    const compiled = RE2JS.compile(source);
    const size = compiled.programSize();
    if (size <= LIMITS.pattern) return { test: (text) => compiled.test(text), size };
    const message = `the pattern takes ${size} instructions, more than ${LIMITS.pattern}`;
    return { code: 'expression.pattern', message, cure: 'Repeat less in it.', at };
  } catch (thrown) {
    const message = `the pattern is not one of RE2: ${messageOf(thrown).slice(0, 120)}`;
    return { code: 'expression.pattern', message, cure: 'Look-around and back references are not part of it.', at };
  }
}

/** Whether a pattern is found anywhere in a text. Its time goes by the letters of the text and the size of the pattern. */
export function matches(site: number, text: string, pattern: Pattern): boolean {
  burn(site, 1 + Math.ceil((text.length * pattern.size) / 64));
  return pattern.test(text);
}
