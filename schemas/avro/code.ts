import { RUNTIME } from './runtime.ts';

/**
 * The only place where code is made from text. The text is closed: it consists of fixed pieces of the
 * generators, numbers, variable names that they count up, and names of the schema (checked identifiers) as
 * string literals. Whatever else generated code needs comes in by `constants`.
 */
export function compile<T>(body: string, constants: readonly unknown[]): T {
  const names = Object.keys(RUNTIME);
  const make = new Function('RUNTIME', 'C', `'use strict';\nconst { ${names.join(', ')} } = RUNTIME;\n${body}`);
  return make(RUNTIME, constants) as T;
}

/** A string literal. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** Counts up variable names and keeps the values that generated code refers to as `C[i]`. */
export class Scope {
  readonly constants: unknown[] = [];
  #count = 0;

  fresh(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }

  constant(value: unknown): string {
    this.constants.push(value);
    return `C[${this.constants.length - 1}]`;
  }
}
