import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { recordsFlow } from '../segments/make-flow.ts';
import { EXPRESSION, PARTITIONS, RECORD, STREAM_IN, STREAM_OUT, text, whole } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const opSelectKey: NodeType = {
  name: 'op.select-key',
  version: 1,
  title: 'Select key',
  description:
    'A new key for each record, and the partition that it belongs to, through a topic of its own: what follows may ' +
    'aggregate and join by it. Records whose key is null go no further.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields({ key: EXPRESSION, format: FORMAT, value: FORMAT, partitions: PARTITIONS }, ['key']),
  expressions: [{ pointer: '/key', records: RECORD }],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config, node } = parts;
      const input = parts.inputs['in']!;
      const keyed = parts.own(input.records().selectKey(parts.expr(text(config, 'key')!)));
      const stored = input.made || config['value'] !== undefined;
      const records = keyed.repartition({
        name: node,
        key: parts.format(config['format'] ?? 'string'),
        ...(stored ? { value: parts.format(config['value']) } : {}),
        partitions: whole(config, 'partitions', 1),
      });
      return { out: recordsFlow(parts, parts.own(records), false) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'by', type: 'op.select-key', data: { config: { key: 'value.customer' } } },
        { id: 'counts', type: 'op.aggregate', data: { config: { function: 'count' } } },
        { id: 'all', type: 'collect', data: { config: { newest: true } } },
      ],
      [
        { source: 'orders', target: 'by' },
        { source: 'by', target: 'counts' },
        { source: 'counts', target: 'all' },
      ],
    ),
    input: [{ customer: 'ann' }, { customer: 'bob' }, { customer: 'ann' }],
    output: { all: { ann: 2, bob: 1 } },
  },
};
