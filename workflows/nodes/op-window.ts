import { hopping, session, tumbling } from '../../topology/topology.ts';
import type { NodeType } from '../catalog.ts';
import type { SegmentParts } from '../segments/flows.ts';
import { windowsFlow } from '../segments/make-flow.ts';
import { SPAN, STREAM_IN, STREAM_OUT, span } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

interface WindowKind {
  readonly kind: 'tumbling' | 'hopping' | 'session';
  readonly title: string;
  readonly description: string;
  readonly spans: readonly string[];
  make(parts: SegmentParts, grace: { readonly grace?: number }): object;
  readonly example: { readonly [name: string]: string };
  readonly counts: readonly number[];
}

const KINDS: readonly WindowKind[] = [
  {
    kind: 'tumbling',
    title: 'Tumbling window',
    description: 'Windows of one size, one behind the other, aligned to the epoch.',
    spans: ['size'],
    make: (parts, grace) => tumbling(span(parts, 'size'), grace),
    example: { size: '10s' },
    counts: [2, 1],
  },
  {
    kind: 'hopping',
    title: 'Hopping window',
    description: 'Windows of one size, one beginning every advance: a record falls into size / advance of them.',
    spans: ['size', 'advance'],
    make: (parts, grace) => hopping(span(parts, 'size'), { advance: span(parts, 'advance'), ...grace }),
    example: { size: '10s', advance: '5s' },
    counts: [2, 1, 1],
  },
  {
    kind: 'session',
    title: 'Session window',
    description: 'Windows of records that follow each other within a gap.',
    spans: ['gap'],
    make: (parts, grace) => session({ gap: span(parts, 'gap'), ...grace }),
    example: { gap: '8s' },
    counts: [2, 1],
  },
];

function windowType(window: WindowKind): NodeType {
  const { kind, title, spans } = window;
  return {
    name: `op.window.${kind}`,
    version: 1,
    title,
    description:
      `${window.description} op.aggregate stands behind it. Records that come later than grace after the end of ` +
      'their window are late: they are counted, and go no further.',
    inputs: STREAM_IN,
    outputs: STREAM_OUT,
    config: fields(Object.fromEntries([...spans, 'grace'].map((name) => [name, SPAN])), spans),
    behaviour: {
      kind: 'operator',
      build(parts) {
        const grace = parts.config['grace'] === undefined ? {} : { grace: span(parts, 'grace') };
        return { out: windowsFlow(parts, parts.inputs['in']!, window.make(parts, grace)) };
      },
    },
    example: {
      document: exampleDocument(
        [
          { id: 'clicks', type: 'map.items', data: { config: { items: 'input', time: 'value.at' } } },
          { id: 'by', type: 'op.select-key', data: { config: { key: 'value.user' } } },
          { id: 'spans', type: `op.window.${kind}`, data: { config: window.example } },
          { id: 'counts', type: 'op.aggregate', data: { config: { function: 'count' } } },
          { id: 'all', type: 'collect' },
        ],
        [
          { source: 'clicks', target: 'by' },
          { source: 'by', target: 'spans' },
          { source: 'spans', target: 'counts' },
          { source: 'counts', target: 'all' },
        ],
      ),
      input: [
        { user: 'ann', at: 0 },
        { user: 'ann', at: 4000 },
        { user: 'ann', at: 14_000 },
      ],
      output: { all: window.counts },
    },
  };
}

/** One type for each kind of window: they differ in nothing else. */
export const opWindows: readonly NodeType[] = KINDS.map(windowType);
