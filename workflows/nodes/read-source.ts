import type { Json } from '../../core/ids.ts';
import type { ExpressionField } from '../catalog.ts';
import type { Flow, SegmentParts } from '../segments/flows.ts';
import { FORMAT } from '../segments/formats.ts';
import { recordsFlow } from '../segments/make-flow.ts';
import { EXPRESSION, text } from './data-plane.ts';

const VALUE = ['value'];

/** Fields of a source whose records have no keys and times of their own: how they get them, and the formats. */
export const READ_FIELDS: { readonly [name: string]: Json } = {
  key: EXPRESSION,
  keyFormat: FORMAT,
  value: FORMAT,
  time: EXPRESSION,
};

export const READ_EXPRESSIONS: readonly ExpressionField[] = [
  { pointer: '/key', records: VALUE },
  { pointer: '/time', expect: 'number', records: VALUE },
];

/** The records of a source of connectors, with keys and times as {@link READ_FIELDS} say. */
export function readFlow(parts: SegmentParts, source: object): Flow {
  const { config, node } = parts;
  const records = parts.topology.read(source, {
    name: node,
    key: parts.expr(text(config, 'key') ?? 'null'),
    keySerde: parts.format(config['keyFormat'] ?? 'string'),
    value: parts.format(config['value']),
    time: parts.expr(text(config, 'time') ?? '0'),
  });
  return recordsFlow(parts, parts.own(records), false);
}
