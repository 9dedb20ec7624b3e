import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { PARTITIONS, STREAM_IN, text } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';
import { exported } from './exported.ts';

export const sinkFile: NodeType = {
  name: 'sink.file',
  version: 1,
  title: 'To a file',
  description:
    'A file with a line of JSON for each record, exactly once. It has its name when the run has ended; until then it is ' +
    'a .part.',
  inputs: STREAM_IN,
  outputs: {},
  config: fields(
    { path: TEXT, columns: { enum: ['value', 'record'] }, key: FORMAT, value: FORMAT, partitions: PARTITIONS },
    ['path'],
  ),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const columns = text(parts.config, 'columns') === 'record' ? 'record' : 'value';
      return exported(parts, { to: 'file', path: text(parts.config, 'path')!, columns });
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'numbers', type: 'map.items', data: { config: { items: 'input.numbers' } } },
        { id: 'file', type: 'sink.file', data: { config: { path: '= input.path' } } },
      ],
      [{ source: 'numbers', target: 'file' }],
    ),
    input: { numbers: [1, 2], path: 'numbers.jsonl' },
    output: { file: null },
  },
};
