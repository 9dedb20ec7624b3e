import type { Bytes } from '../core/bytes.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';
import { readText } from './text.ts';
import { Varints } from './varints.ts';

/** An item of a list of the largest, by its score. */
export interface TopItem {
  readonly id: string;
  readonly score: number;
}

const NAME = 'top';
const SCORE_BYTES = 8;

/** Items with the largest score first; equal scores by id, in order of UTF-16 units. */
export function compareTop(a: TopItem, b: TopItem): number {
  if (a.score !== b.score) return b.score - a.score;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Puts an item where it belongs among at most `most`, once for each id, with its largest score. */
export function addTop(items: TopItem[], id: string, score: number, most: number): void {
  const known = items.findIndex((item) => item.id === id);
  if (known >= 0) {
    if (items[known]!.score >= score) return;
    items.splice(known, 1);
  }
  const item = { id, score };
  let at = items.length;
  while (at > 0 && compareTop(item, items[at - 1]!) < 0) at--;
  if (at >= most) return;
  items.splice(at, 0, item);
  if (items.length > most) items.pop();
}

/** A list of items: how many, then each one's score as a double and its id behind its length as a varint. */
export function topRow(): Serde<readonly TopItem[]> {
  return TOP;
}

function read(bytes: Bytes, start: number, end: number): readonly TopItem[] {
  const varints = new Varints(NAME, bytes, start, end);
  const length = varints.next();
  const items: TopItem[] = [];
  for (let i = 0; i < length; i++) {
    if (varints.at + SCORE_BYTES > end) mismatch(NAME, 'a score', 'the end');
    const score = bytes.readDoubleBE(varints.at);
    varints.at += SCORE_BYTES;
    const bytesOfId = varints.next();
    if (varints.at + bytesOfId > end) mismatch(NAME, 'an id', 'the end');
    items.push({ id: readText(bytes, varints.at, varints.at + bytesOfId), score });
    varints.at += bytesOfId;
  }
  varints.finish();
  return items;
}

const TOP: Serde<readonly TopItem[]> = {
  name: NAME,
  schema: NAME,
  decode: read,
  read,
  encode(items, out) {
    if (!Array.isArray(items)) mismatchValue(NAME, 'a list of items', items);
    out.varint(items.length);
    for (const { id, score } of items as readonly TopItem[]) {
      if (typeof score !== 'number') mismatchValue(`${NAME}.score`, 'a number', score);
      if (typeof id !== 'string') mismatchValue(`${NAME}.id`, 'a string', id);
      out.double(score);
      out.varint(Buffer.byteLength(id));
      out.text(id);
    }
  },
  view: () => read,
  cells: undefined,
};
