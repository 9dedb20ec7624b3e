import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { NAME, PARTITIONS, STREAM_IN, text } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';
import { exported } from './exported.ts';

export const sinkPostgres: NodeType = {
  name: 'sink.postgres',
  version: 1,
  title: 'To PostgreSQL',
  description:
    'Rows of a table, exactly once. `connection` is the name of a database that the engine was given: documents hold no ' +
    'secrets. `columns` says where in a record each column stands, such as value.total; with `keyColumns` a record writes ' +
    'over the row that has equal ones.',
  inputs: STREAM_IN,
  outputs: {},
  config: fields(
    {
      connection: NAME,
      table: TEXT,
      columns: { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 },
      keyColumns: { type: 'array', items: { type: 'string' } },
      key: FORMAT,
      value: FORMAT,
      partitions: PARTITIONS,
    },
    ['connection', 'table', 'columns'],
  ),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      return exported(parts, {
        to: 'postgres',
        connection: text(config, 'connection')!,
        table: text(config, 'table')!,
        columns: config['columns'] as { readonly [column: string]: string },
        keyColumns: (config['keyColumns'] ?? []) as readonly string[],
      });
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input' } } },
        {
          id: 'rows',
          type: 'sink.postgres',
          data: {
            config: {
              connection: 'main',
              table: 'orders',
              columns: { id: 'value.id', total: 'value.total' },
              keyColumns: ['id'],
            },
          },
        },
      ],
      [{ source: 'orders', target: 'rows' }],
    ),
    input: [{ id: 1, total: 5 }],
    output: { rows: null },
  },
};
