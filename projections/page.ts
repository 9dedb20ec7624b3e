import { FlowError } from '../core/errors.ts';

export const DEFAULT_ROWS = 50;
export const MOST_ROWS = 500;

/** The place behind a row, in an order by time and id, as opaque text. */
export function placeText(at: number, id: string): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

export function readPlace(text: string): readonly [at: number, id: string] {
  try {
    const [at, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown];
    if (Number.isSafeInteger(at) && typeof id === 'string') return [at as number, id];
  } catch {
    // said below
  }
  throw new FlowError('query.invalid', `${JSON.stringify(text)} is no place in a list; give the \`next\` of a page`);
}

export function pageSize(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_ROWS;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ROWS) return limit;
  throw new FlowError('query.invalid', `a page has 1 to ${MOST_ROWS} rows, not ${limit}`);
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
