import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../core/ids.ts';

/** The port of the node that stands for a segment at which its last figures lie. */
export const FIGURES = '#figures';

/** Whether figures of a segment (`SegmentFigures` of the data plane) say that an inner node has passed its end. */
export function hasPassed(figures: Json, id: string): boolean {
  return field(nodeFigures(figures, id), 'status') === 'COMPLETED';
}

/** Whether figures were told before others, or with them: then they are nothing new. */
export function isOld(figures: Json, last: Json | undefined): boolean {
  const [at, before] = [field(figures, 'at'), field(last, 'at')];
  return typeof at === 'number' && typeof before === 'number' ? at <= before : isDeepStrictEqual(figures, last);
}

/** Of one node, in words, such as `300 records in, 200 out, 90 filtered, 10 late`; empty where nothing is told. */
export function figuresText(figures: Json, id: string): string {
  const node = nodeFigures(figures, id);
  const count = (name: string) => Number(field(node, name) ?? 0);
  if (node === null) return '';
  const told = [`${count('in')} records in`, `${count('out')} out`];
  if (count('filtered') > 0) told.push(`${count('filtered')} filtered`);
  for (const [reason, dropped] of Object.entries(field(node, 'dropped') ?? {})) told.push(`${dropped} ${reason}`);
  if (count('deadLetters') > 0) told.push(`${count('deadLetters')} dead letters`);
  return told.join(', ');
}

function nodeFigures(figures: Json, id: string): Json {
  return field(field(figures, 'nodes'), id) ?? null;
}

function field(of: Json | undefined, name: string): Json | undefined {
  if (typeof of !== 'object' || of === null || Array.isArray(of) || !Object.hasOwn(of, name)) return undefined;
  return (of as { readonly [name: string]: Json })[name];
}
