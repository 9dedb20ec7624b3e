import type { Json } from '../../core/ids.ts';
import type { NodeSpec, Ports } from '../document.ts';
import { durationOf } from '../duration.ts';
import type { SegmentParts } from '../segments/flows.ts';
import { SPAN } from './example.ts';

/** What the types of the data plane have in common. */
export const STREAM_IN: Ports = { in: { kind: 'stream' } };
export const STREAM_OUT: Ports = { out: { kind: 'stream' } };
export const DATASET_OUT: Ports = { out: { kind: 'dataset' } };

/** Variables of expressions, by where they stand. */
export const RECORD = ['value', 'key'];
export const AGGREGATE = ['aggregate', 'value', 'key'];
export const MERGE = ['a', 'b', 'key'];

export const EXPRESSION: Json = { type: 'string', minLength: 1, description: 'an expression of records' };
export const NAME: Json = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,200}$' };
export const PARTITIONS: Json = { type: 'integer', minimum: 1, maximum: 10_000, description: 'default 1' };
export { SPAN };

export function text(config: SegmentParts['config'], name: string): string | undefined {
  const value = config[name];
  return typeof value === 'string' ? value : undefined;
}

export function whole(config: SegmentParts['config'], name: string, otherwise: number): number {
  const value = config[name];
  return typeof value === 'number' ? value : otherwise;
}

/** A span of the configuration in milliseconds. */
export function span({ config, fail }: SegmentParts, name: string, otherwise?: number): number {
  const value = text(config, name);
  if (value === undefined && otherwise !== undefined) return otherwise;
  const millis = value === undefined ? undefined : durationOf(value);
  if (millis === undefined) throw fail(`has no span of time at ${name}, but ${JSON.stringify(value ?? null)}`);
  return millis;
}

export function config(node: NodeSpec): SegmentParts['config'] {
  return node.data?.config ?? {};
}
