import { csvFile, parquetFile } from '../../connectors/connectors.ts';
import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { recordsFlow } from '../segments/make-flow.ts';
import { DATASET_OUT, EXPRESSION, text } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';

const VALUE = ['value'];

export const sourceFile: NodeType = {
  name: 'source.file',
  version: 1,
  title: 'File',
  description:
    'The rows of a CSV or Parquet file. They lie in no partitions of their own: write them to a topic, or give them a key ' +
    'with op.select-key, before anything that keeps state.',
  inputs: {},
  outputs: DATASET_OUT,
  config: fields(
    {
      path: TEXT,
      format: { enum: ['csv', 'parquet'] },
      columns: { type: 'array', items: { type: 'string' }, description: 'those to read; default all' },
      types: {
        type: 'object',
        description: 'of CSV, columns that are not text',
        additionalProperties: { enum: ['string', 'number', 'boolean', 'string?', 'number?', 'boolean?'] },
      },
      key: EXPRESSION,
      keyFormat: FORMAT,
      value: FORMAT,
      time: EXPRESSION,
    },
    ['path', 'format'],
  ),
  expressions: [
    { pointer: '/key', records: VALUE },
    { pointer: '/time', expect: 'number', records: VALUE },
  ],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config, node } = parts;
      const path = text(config, 'path')!;
      const options = {
        ...(config['columns'] === undefined ? {} : { columns: config['columns'] as string[] }),
        ...(config['types'] === undefined ? {} : { types: config['types'] as never }),
      };
      const source =
        config['format'] === 'csv'
          ? csvFile<object>(path, options as never)
          : parquetFile<object>(path, options as never);
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
        {
          id: 'airports',
          type: 'source.file',
          data: { config: { path: '= input.path', format: 'csv', columns: ['iata'], key: 'value.iata' } },
        },
        { id: 'all', type: 'collect', data: { config: { limit: 10 } } },
      ],
      [{ source: 'airports', target: 'all' }],
    ),
    input: { path: 'airports.csv' },
    output: { all: [{ iata: 'BER' }, { iata: 'HAM' }] },
  },
};
