import { csvFile, parquetFile } from '../../connectors/connectors.ts';
import type { NodeType } from '../catalog.ts';
import { DATASET_OUT, text } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';
import { READ_EXPRESSIONS, READ_FIELDS, readFlow } from './read-source.ts';

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
      ...READ_FIELDS,
    },
    ['path', 'format'],
  ),
  expressions: READ_EXPRESSIONS,
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      const path = text(config, 'path')!;
      const options = {
        ...(config['columns'] === undefined ? {} : { columns: config['columns'] as string[] }),
        ...(config['types'] === undefined ? {} : { types: config['types'] as never }),
      };
      const source =
        config['format'] === 'csv'
          ? csvFile<object>(path, options as never)
          : parquetFile<object>(path, options as never);
      return { out: readFlow(parts, source) };
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
