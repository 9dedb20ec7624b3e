import type { NodeType } from '../catalog.ts';
import type { Options, Ready, SegmentParts } from '../segments/flows.ts';
import { FORMAT } from '../segments/formats.ts';
import { tableFlow } from '../segments/make-flow.ts';
import {
  AGGREGATE,
  config as configOf,
  EXPRESSION,
  MERGE,
  NAME,
  RECORD,
  SPAN,
  STREAM_IN,
  STREAM_OUT,
  span,
  text,
  whole,
} from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

/** The functions, and the expressions that each one needs. */
const NEEDS: { readonly [name in Ready]: readonly string[] } = {
  count: [],
  sum: ['of'],
  min: ['of'],
  max: ['of'],
  mean: ['of'],
  distinctCount: ['of'],
  quantiles: ['of'],
  topK: ['item', 'score'],
  aggregate: ['initial', 'add'],
};
const TOP = 10;

export const opAggregate: NodeType = {
  name: 'op.aggregate',
  version: 1,
  title: 'Aggregate',
  description:
    'Sums up the records of each key, or of each key and window: count, sum, min, max, mean, distinctCount, quantiles of an ' +
    'expression `of`, the topK of an `item` and its `score`, or an aggregate of your own by `initial` and `add`. Of windows ' +
    'the final result of each goes on, once, when it has closed; without, every update.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields(
    {
      function: { enum: Object.keys(NEEDS) },
      of: EXPRESSION,
      item: EXPRESSION,
      score: EXPRESSION,
      k: { type: 'integer', minimum: 1, maximum: 10_000 },
      initial: EXPRESSION,
      add: EXPRESSION,
      merge: EXPRESSION,
      value: { ...(FORMAT as object), description: 'of the aggregates; default json' },
      emit: { enum: ['final', 'updates'], description: 'of windows; default final' },
      retention: SPAN,
      store: { ...(NAME as object), description: 'default: the id of the node' },
    },
    ['function'],
  ),
  expressions: [
    { pointer: '/of', records: RECORD },
    { pointer: '/item', records: RECORD },
    { pointer: '/score', expect: 'number', records: RECORD },
    { pointer: '/initial', records: [] },
    { pointer: '/add', records: AGGREGATE },
    { pointer: '/merge', records: MERGE },
  ],
  check(node) {
    const config = configOf(node);
    const fn = text(config, 'function') ?? '';
    if (!Object.hasOwn(NEEDS, fn)) return [];
    return NEEDS[fn as Ready]
      .filter((field) => config[field] === undefined)
      .map((field) => ({
        code: 'workflow.config',
        message: `${fn} needs the expression ${field}`,
        cure: `Add ${field} to the configuration of ${node.id}.`,
      }));
  },
  behaviour: {
    kind: 'operator',
    build(parts) {
      const input = parts.inputs['in']!;
      const { windows } = input;
      const grouped = (windows?.input ?? input).records().groupByKey();
      const isFinal = windows !== undefined && text(parts.config, 'emit') !== 'updates';
      const over = windows === undefined ? grouped : grouped.window(windows.spec);
      const fn = text(parts.config, 'function') as Ready;
      const rows = (isFinal ? over.emitOnClose() : over)[fn](optionsOf(parts, fn, windows !== undefined));
      return { out: tableFlow(parts, parts.own(rows), false) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'by', type: 'op.select-key', data: { config: { key: 'value.customer' } } },
        { id: 'totals', type: 'op.aggregate', data: { config: { function: 'sum', of: 'value.total' } } },
        { id: 'all', type: 'collect', data: { config: { newest: true } } },
      ],
      [
        { source: 'orders', target: 'by' },
        { source: 'by', target: 'totals' },
        { source: 'totals', target: 'all' },
      ],
    ),
    input: [
      { customer: 'ann', total: 3 },
      { customer: 'bob', total: 4 },
      { customer: 'ann', total: 5 },
    ],
    output: { all: { ann: 8, bob: 4 } },
  },
};

function optionsOf(parts: SegmentParts, fn: Ready, hasWindows: boolean): Options {
  const { config, node } = parts;
  const expr = (field: string) => {
    const source = text(config, field);
    if (source === undefined) throw parts.fail(`aggregates by ${fn}, which needs the expression ${field}`);
    return parts.expr(source);
  };
  const common = {
    store: text(config, 'store') ?? node,
    ...(hasWindows && config['retention'] !== undefined ? { retention: span(parts, 'retention') } : {}),
  };
  if (fn === 'count') return common;
  if (fn === 'topK') return { ...common, k: whole(config, 'k', TOP), id: expr('item'), score: expr('score') };
  if (fn !== 'aggregate') return { ...common, of: expr('of') };
  return {
    ...common,
    value: parts.format(config['value']),
    initial: expr('initial'),
    add: expr('add'),
    ...(config['merge'] === undefined ? {} : { merge: expr('merge') }),
  };
}
