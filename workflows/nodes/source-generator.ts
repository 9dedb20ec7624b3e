import { generator } from '../../connectors/connectors.ts';
import { compileExpression } from '../../expressions/expressions.ts';
import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { recordsFlow } from '../segments/make-flow.ts';
import { DATASET_OUT, EXPRESSION, text, whole } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

const VALUE = ['value'];

export const sourceGenerator: NodeType = {
  name: 'source.generator',
  version: 1,
  title: 'Generator',
  description: 'Made-up records, each by an expression over its number, from 0 on: for trials and tests.',
  inputs: {},
  outputs: DATASET_OUT,
  config: fields(
    {
      count: { type: ['integer', 'string'], minimum: 0 },
      splits: { type: 'integer', minimum: 1, maximum: 1000 },
      make: EXPRESSION,
      key: EXPRESSION,
      keyFormat: FORMAT,
      value: FORMAT,
      time: EXPRESSION,
    },
    ['count', 'make'],
  ),
  expressions: [
    { pointer: '/make', records: ['index'] },
    { pointer: '/key', records: VALUE },
    { pointer: '/time', expect: 'number', records: VALUE },
  ],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config, node } = parts;
      const { expression } = compileExpression(text(config, 'make')!, { scope: { index: 'number' } });
      if (expression === undefined) throw parts.fail('has an expression at make that cannot be compiled');
      const source = generator({
        count: whole(config, 'count', 0),
        splits: whole(config, 'splits', 1),
        make: (index) => expression.evaluate({ index }),
      });
      const records = parts.topology.read(source, {
        name: node,
        key: parts.expr(text(config, 'key') ?? 'null'),
        keySerde: parts.format(config['keyFormat'] ?? 'string'),
        value: parts.format(config['value']),
        time: parts.expr(text(config, 'time') ?? '0'),
      });
      return { out: recordsFlow(parts, parts.own(records), false) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'numbers', type: 'source.generator', data: { config: { count: 3, make: "{'n': index}" } } },
        { id: 'all', type: 'collect' },
      ],
      [{ source: 'numbers', target: 'all' }],
    ),
    input: null,
    output: { all: [{ n: 0 }, { n: 1 }, { n: 2 }] },
  },
};
