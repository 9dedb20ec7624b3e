import type { NodeType } from '../catalog.ts';
import type { Flow, Options, Records, SegmentParts } from '../segments/flows.ts';
import { FORMAT } from '../segments/formats.ts';
import { recordsFlow, tableFlow } from '../segments/make-flow.ts';
import { EXPRESSION, SPAN, STREAM_OUT, span, text } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

const SIGNED_SPANS = { before: SPAN, after: SPAN, grace: SPAN };

export const opJoin: NodeType = {
  name: 'op.join',
  version: 1,
  title: 'Join',
  description:
    'What arrives at `in` with what arrives at `with`, by key. With a table (op.table, op.aggregate): each record with the ' +
    'row of its key; merge reads value, row and key. Two streams: records whose times are near, the right one at most ' +
    '`before` earlier and `after` later; merge reads left, right and key. Two tables: row by row, likewise.',
  inputs: { in: { kind: 'stream' }, with: { kind: 'stream' } },
  outputs: STREAM_OUT,
  config: fields(
    {
      how: { enum: ['inner', 'left', 'outer'] },
      merge: EXPRESSION,
      ...SIGNED_SPANS,
      left: FORMAT,
      right: FORMAT,
    },
    ['merge'],
  ),
  expressions: [{ pointer: '/merge', records: ['value', 'row', 'left', 'right', 'key'] }],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { inputs, node, config } = parts;
      const [first, second] = [inputs['in']!, inputs['with']!];
      const how = text(config, 'how') ?? 'inner';
      const merge = parts.expr(text(config, 'merge')!);
      if (first.isTable && second.isTable) {
        const [rows, other] = [first.rows(node), second.rows(node)];
        const options = { merge, name: node };
        if (how === 'inner') return { out: tableFlow(parts, parts.own(rows.joinTable(other, options)), true) };
        if (how === 'left') return { out: tableFlow(parts, parts.own(rows.leftJoinTable(other, options)), true) };
        return { out: tableFlow(parts, parts.own(rows.outerJoinTable(other, options)), true) };
      }
      const records = first.records();
      if (second.isTable) {
        if (how === 'outer') throw parts.fail('joins a stream with a table, inner or left: there is no outer one');
        const table = second.rows(node);
        const options = { merge, name: node };
        const joined = how === 'inner' ? records.joinTable(table, options) : records.leftJoinTable(table, options);
        return { out: recordsFlow(parts, parts.own(joined), true) };
      }
      return { out: recordsFlow(parts, parts.own(joinStreams(parts, how, records, second, first)), true) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input.orders' } } },
        { id: 'paid', type: 'map.items', data: { config: { items: 'input.paid' } } },
        { id: 'ordersBy', type: 'op.select-key', data: { config: { key: 'value.id' } } },
        { id: 'paidBy', type: 'op.select-key', data: { config: { key: 'value.id' } } },
        {
          id: 'both',
          type: 'op.join',
          data: { config: { before: '1h', after: '1h', merge: "{'id': key, 'paid': right.sum}" } },
        },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'orders', target: 'ordersBy' },
        { source: 'paid', target: 'paidBy' },
        { source: 'ordersBy', target: 'both', targetHandle: 'in' },
        { source: 'paidBy', target: 'both', targetHandle: 'with' },
        { source: 'both', target: 'all' },
      ],
    ),
    input: { orders: [{ id: 'a' }, { id: 'b' }], paid: [{ id: 'b', sum: 7 }] },
    output: { all: [{ id: 'b', paid: 7 }] },
  },
};

function joinStreams(parts: SegmentParts, how: string, records: Records, second: Flow, first: Flow): Records {
  const { config, node } = parts;
  const options: Options = {
    name: node,
    within: {
      before: span(parts, 'before'),
      after: span(parts, 'after'),
      ...(config['grace'] === undefined ? {} : { grace: span(parts, 'grace') }),
    },
    merge: parts.expr(text(config, 'merge')!),
    ...(first.made || config['left'] !== undefined ? { left: parts.format(config['left']) } : {}),
    ...(second.made || config['right'] !== undefined ? { right: parts.format(config['right']) } : {}),
  };
  const other = second.records();
  if (how === 'inner') return records.joinStream(other, options);
  return how === 'left' ? records.leftJoinStream(other, options) : records.outerJoinStream(other, options);
}
