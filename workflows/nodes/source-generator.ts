import { generator } from '../../connectors/connectors.ts';
import { compileExpression } from '../../expressions/expressions.ts';
import type { NodeType } from '../catalog.ts';
import { DATASET_OUT, EXPRESSION, text, whole } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';
import { READ_EXPRESSIONS, READ_FIELDS, readFlow } from './read-source.ts';

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
      ...READ_FIELDS,
    },
    ['count', 'make'],
  ),
  expressions: [{ pointer: '/make', records: ['index'] }, ...READ_EXPRESSIONS],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      const { expression } = compileExpression(text(config, 'make')!, { scope: { index: 'number' } });
      if (expression === undefined) throw parts.fail('has an expression at make that cannot be compiled');
      const source = generator({
        count: whole(config, 'count', 0),
        splits: whole(config, 'splits', 1),
        make: (index) => expression.evaluate({ index }),
      });
      return { out: readFlow(parts, source) };
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
