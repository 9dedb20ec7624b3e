import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../core/ids.ts';
import type { Format } from './format.ts';
import { LOG_FORMATS } from './log-formats.ts';
import { STATE_FORMATS } from './state-formats.ts';
import { WORKFLOW_FORMATS } from './workflow-formats.ts';

/** Steps and batches of the log have theirs beside their codecs. */
export const FORMATS: readonly Format[] = [...STATE_FORMATS, ...LOG_FORMATS, ...WORKFLOW_FORMATS];

export function fileOf({ name }: Format, version: number): string {
  return join(import.meta.dirname, 'kept', `${name}-${version}.json`);
}

export interface Kept {
  readonly value: Json;
  readonly written: Json;
}

export function keptOf(format: Format, version: number): Kept | undefined {
  const file = fileOf(format, version);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined;
}
