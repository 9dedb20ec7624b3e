import { bounded, built, burn, burnSearch, burnText, fail } from './failure.ts';
import { made } from './sizes.ts';
import { kindOf } from './types.ts';
import { isDict } from './values.ts';

/** Functions of texts. They count characters, not the halves of which JavaScript makes some. */

const SURROGATE = /[\ud800-\udfff]/;

export function size(site: number, value: unknown): number {
  if (typeof value === 'string') {
    burnText(site, value.length);
    return length(value);
  }
  if (Array.isArray(value)) return value.length;
  if (!isDict(value)) fail(site, `is asked of what is ${kindOf(value)}`, 'Strings, lists and maps have a size.');
  const { length: count } = Object.keys(value);
  burn(site, count);
  return count;
}

function length(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export function startsWith(site: number, text: string, start: string): boolean {
  burnText(site, start.length);
  return text.startsWith(start);
}

export function endsWith(site: number, text: string, end: string): boolean {
  burnText(site, end.length);
  return text.endsWith(end);
}

export function contains(site: number, text: string, part: string): boolean {
  burnSearch(site, text.length, part.length);
  return text.includes(part);
}

/** Where a part begins, or -1. */
export function indexOf(site: number, text: string, part: string): number {
  burnSearch(site, text.length, part.length);
  const at = text.indexOf(part);
  return at <= 0 ? at : length(text.slice(0, at));
}

export function lowerAscii(site: number, text: string): string {
  burnText(site, text.length);
  return built(
    site,
    text.replace(/[A-Z]+/g, (part) => part.toLowerCase()),
  );
}

export function upperAscii(site: number, text: string): string {
  burnText(site, text.length);
  return built(
    site,
    text.replace(/[a-z]+/g, (part) => part.toUpperCase()),
  );
}

export function trim(site: number, text: string): string {
  burnText(site, text.length);
  return text.trim();
}

/** At most `limit` parts, the last with the rest; negative: all. */
export function split(site: number, text: string, separator: string, limit = -1): readonly string[] {
  burnSearch(site, text.length, separator.length);
  whole(site, limit);
  if (limit === 0) return [];
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  if (separator === '') return made(site, characters(site, text, most));
  const parts: string[] = [];
  let from = 0;
  while (parts.length + 1 < most) {
    const at = text.indexOf(separator, from);
    if (at < 0) break;
    burn(site, 1);
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  return made(site, parts);
}

function characters(site: number, text: string, most: number): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const one of text) {
    if (parts.length + 1 >= most) break;
    burn(site, 1);
    parts.push(one);
    from += one.length;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

export function join(site: number, list: readonly unknown[], separator = ''): string {
  burn(site, list.length);
  let text = '';
  for (let i = 0; i < list.length; i++) {
    const part = list[i];
    if (typeof part !== 'string')
      return fail(site, `meets ${kindOf(part)} among strings`, 'Map them by string() first.');
    const between = i === 0 ? '' : separator;
    bounded(site, text.length + between.length + part.length);
    text += between + part;
  }
  return text;
}

/** From a character to before another, counted from 0; without an end: to the last one. */
export function substring(site: number, text: string, start: number, end?: number): string {
  burnText(site, text.length);
  whole(site, start);
  if (end !== undefined) whole(site, end);
  const letters = SURROGATE.test(text) ? [...text] : text;
  const stop = end ?? letters.length;
  if (start < 0 || start > stop || stop > letters.length) {
    fail(site, `asks for ${start} to ${stop} of ${letters.length} characters`, 'Ask for size() first.');
  }
  return typeof letters === 'string' ? letters.slice(start, stop) : letters.slice(start, stop).join('');
}

/** Each place of a part by another text; at most `limit` of them, where that is not negative. */
export function replace(site: number, text: string, part: string, by: string, limit = -1): string {
  burnSearch(site, text.length, part.length);
  whole(site, limit);
  if (part === '') fail(site, 'replaces an empty text', 'Say what is to be replaced.');
  let left = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  let out = '';
  let from = 0;
  for (let at = text.indexOf(part); at >= 0 && left > 0; at = text.indexOf(part, from)) {
    burn(site, 1);
    bounded(site, out.length + at - from + by.length);
    out += text.slice(from, at) + by;
    from = at + part.length;
    left--;
  }
  return built(site, out + text.slice(from));
}

function whole(site: number, value: number): void {
  if (!Number.isSafeInteger(value)) fail(site, `counts by ${value}`, 'Count by whole numbers.');
}
