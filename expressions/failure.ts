import { LIMITS } from './limits.ts';

/** Thrown while an expression is evaluated. `site` is the number of the node that failed. */
export class Failure extends Error {
  readonly site: number;
  readonly cure: string;

  constructor(site: number, message: string, cure: string) {
    super(message);
    this.name = 'Failure';
    this.site = site;
    this.cure = cure;
  }
}

export function fail(site: number, message: string, cure: string): never {
  throw new Failure(site, message, cure);
}

/**
 * Steps that are left. One for all expressions: an evaluation runs to its end before another begins, and fills it up
 * when it begins.
 */
export const fuel: { left: number; sizes: WeakMap<object, number> | undefined } = { left: 0, sizes: undefined };

/** Sizes of what is built are counted where a value may be put into another one many times over. */
export function refuel(counted: boolean): void {
  fuel.left = LIMITS.fuel;
  fuel.sizes = counted ? new WeakMap() : undefined;
}

export function burn(site: number, steps: number): void {
  fuel.left -= steps;
  if (fuel.left < 0) {
    fail(site, `takes more than ${LIMITS.fuel} steps`, 'Give it less data, or do less for each item.');
  }
}

/** Looking through a text takes a step for so many of its characters. */
export function burnText(site: number, length: number): void {
  burn(site, 1 + (length >>> 6));
}

/** Searching takes as many comparisons as places times letters, when both are of one letter alone. */
export function burnSearch(site: number, length: number, part: number): void {
  burn(site, 1 + (length >>> 6) + Math.floor((Math.max(0, length - part) * part) / 4096));
}

/** A text that was built, if it is not too long. */
export function built(site: number, text: string): string {
  bounded(site, text.length);
  return text;
}

export function bounded(site: number, length: number): void {
  if (length > LIMITS.text) fail(site, `makes a text longer than ${LIMITS.text}`, 'Make a shorter one.');
}
