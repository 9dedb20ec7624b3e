import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { STREAM_IN, whole } from './data-plane.ts';
import { exampleDocument, fields, VALUE_OUT } from './example.ts';
import { ownTopic } from './own-topic.ts';

const LIMIT = 10_000;

export const collect: NodeType = {
  name: 'collect',
  version: 1,
  title: 'Collect',
  description:
    'Makes a value of records when the run has ended: the list of their values, those of one key in their order. With ' +
    'newest an object of the newest value of each key. More than limit records (10,000) are a failure, not a cut.',
  inputs: STREAM_IN,
  outputs: VALUE_OUT,
  config: fields({
    limit: { type: 'integer', minimum: 1, maximum: 1_000_000 },
    newest: { type: 'boolean' },
    key: FORMAT,
    value: FORMAT,
  }),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      parts.collect(ownTopic(parts), { limit: whole(config, 'limit', LIMIT), newest: config['newest'] === true });
      return {};
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'numbers', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'large', type: 'op.filter', data: { config: { where: 'value > 2' } } },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'numbers', target: 'large' },
        { source: 'large', target: 'all' },
      ],
    ),
    input: [1, 2, 3, 4],
    output: { all: [3, 4] },
  },
};
