import { readPlace } from '../core/pages.ts';

/** Where a row stands in an order by time and id. */
export function readRowPlace(text: string): readonly [at: number, id: string] {
  return readPlace(text, (place) => {
    const [at, id] = place as [unknown, unknown];
    return Number.isSafeInteger(at) && typeof id === 'string' ? [at as number, id] : undefined;
  });
}

/** Conditions with their values, numbered as they come. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #texts: string[] = [];

  /** `$` in the text stands for the value. */
  add(text: string, value: unknown): void {
    this.values.push(value);
    this.#texts.push(text.replaceAll('$', `$${this.values.length}`));
  }

  get where(): string {
    return this.#texts.length === 0 ? '' : `where ${this.#texts.join(' and ')}`;
  }
}
