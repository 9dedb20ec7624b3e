import { nearest as likeNames } from '../core/nearest.ts';
import type { Spot } from './ast.ts';
import type { ExpressionFault } from './expressions.ts';

/** A fault before its place is known as line and column. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly cure: string;
  readonly at: number;
}

/** Thrown where reading cannot go on: the first fault of syntax or size. */
export class Refused extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'Refused';
    this.fault = fault;
  }
}

export function refuse(code: string, at: number, message: string, cure: string): never {
  throw new Refused({ code, message, cure, at });
}

export function placed(source: string, { code, message, cure, at }: Fault): ExpressionFault {
  return { code, message, cure, at: placeOf(source, at) };
}

export function placeOf(source: string, offset: number): ExpressionFault['at'] {
  const before = source.slice(0, offset).split(/\r\n|\r|\n/);
  return { offset, line: before.length, column: before.at(-1)!.length + 1 };
}

/** The text of a node, short enough for a message. */
export function quote(source: string, { at, end }: Spot): string {
  const text = source.slice(at, end).replace(/\s+/g, ' ');
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** A cure: the names that may have been meant, or those there are. */
export function nearest(name: string, known: readonly string[], what: string): string {
  const like = likeNames(name, known);
  if (like.length > 0) return `Did you mean ${like.join(' or ')}?`;
  return known.length === 0 ? `There is no ${what} here.` : `There is ${[...known].sort().slice(0, 12).join(', ')}.`;
}
