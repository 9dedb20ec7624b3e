import { FlowError } from './errors.ts';
import type { Json } from './ids.ts';

const DEFAULT_ROWS = 50;
const MOST_ROWS = 500;

/** How many rows a page of a list has for which so many were asked. */
export function pageSize(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_ROWS;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ROWS) return limit;
  throw new FlowError('query.invalid', `a page has 1 to ${MOST_ROWS} rows, not ${limit}`);
}

/** A place in a list as opaque text: where the next page begins. */
export function placeText(place: Json): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place that a text says; `read` answers `undefined` for what is none, or throws. */
export function readPlace<Place>(text: string, read: (place: unknown) => Place | undefined): Place {
  try {
    const place = read(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (place !== undefined) return place;
  } catch {
    // said below
  }
  throw new FlowError('query.invalid', `${JSON.stringify(text)} is no place in a list; give the \`next\` of a page`);
}
