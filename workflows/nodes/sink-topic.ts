import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { NAME, PARTITIONS, STREAM_IN, text, whole } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const sinkTopic: NodeType = {
  name: 'sink.topic',
  version: 1,
  title: 'To a topic',
  description:
    'Writes records to a topic, in the transaction of everything else. A source.topic of the same document that names it ' +
    'reads what is written here.',
  inputs: STREAM_IN,
  outputs: {},
  config: fields({ topic: NAME, key: FORMAT, value: FORMAT, partitions: PARTITIONS }, ['topic']),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      const topic = parts.topic(text(config, 'topic')!, {
        key: config['key'] ?? 'string',
        value: config['value'],
        partitions: whole(config, 'partitions', 1),
      });
      parts.inputs['in']!.records().to(topic);
      parts.writes(topic);
      return {};
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'numbers', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'out', type: 'sink.topic', data: { config: { topic: 'numbers' } } },
        { id: 'in', type: 'source.topic', data: { config: { topic: 'numbers' } } },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'numbers', target: 'out' },
        { source: 'in', target: 'all' },
      ],
    ),
    input: [1, 2],
    output: { out: null, all: [1, 2] },
  },
};
