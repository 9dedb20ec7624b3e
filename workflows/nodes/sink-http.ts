import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { PARTITIONS, STREAM_IN, text, whole } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';
import { exported } from './exported.ts';

const BATCH = 100;

export const sinkHttp: NodeType = {
  name: 'sink.http',
  version: 1,
  title: 'To an address',
  description:
    'Requests to an address, at least once, each with up to `batch` records as a JSON array and an Idempotency-Key that is ' +
    'equal whenever it comes again. Internal addresses are refused, unless the engine was told to allow them.',
  inputs: STREAM_IN,
  outputs: {},
  config: fields(
    {
      url: TEXT,
      method: { enum: ['POST', 'PUT'] },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      batch: { type: 'integer', minimum: 1, maximum: 10_000 },
      key: FORMAT,
      value: FORMAT,
      partitions: PARTITIONS,
    },
    ['url'],
  ),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      return exported(parts, {
        to: 'http',
        url: text(config, 'url')!,
        method: config['method'] === 'PUT' ? 'PUT' : 'POST',
        headers: (config['headers'] ?? {}) as { readonly [name: string]: string },
        batch: whole(config, 'batch', BATCH),
      });
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input.orders' } } },
        { id: 'hook', type: 'sink.http', data: { config: { url: '= input.url' } } },
      ],
      [{ source: 'orders', target: 'hook' }],
    ),
    input: { orders: [{ id: 1 }], url: 'http://127.0.0.1:9/hook' },
    output: { hook: null },
  },
};
