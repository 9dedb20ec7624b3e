import type { NodeType } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import { EXPRESSIONS } from './expressions.ts';
import { builtInTypes } from './nodes/built-in.ts';
import { validateDocument } from './validate.ts';

/** Documents with faults of every kind, and what is to be told of them. */

const value = { kind: 'value' } as const;
const plain = {
  version: 1,
  title: '',
  description: '',
  config: true,
  example: { document: null, input: null, output: null },
};
const OWN: readonly NodeType[] = [
  { ...plain, name: 'rows', inputs: {}, outputs: { out: { kind: 'stream' } }, behaviour: { kind: 'operator' } },
  {
    ...plain,
    name: 'all',
    inputs: { in: { kind: 'dataset' } },
    outputs: { out: value },
    behaviour: { kind: 'operator' },
  },
  {
    ...plain,
    name: 'my/sum',
    inputs: { left: { ...value, schema: { type: 'number' } }, right: { ...value, optional: true } },
    outputs: { sum: { ...value, schema: { type: 'integer' } }, text: { ...value, schema: { type: 'string' } } },
    behaviour: { kind: 'inline', run: () => ({}) },
  },
  {
    ...plain,
    name: 'my/sum',
    version: 2,
    inputs: {},
    outputs: { out: value },
    behaviour: { kind: 'inline', run: () => ({}) },
  },
  {
    ...plain,
    name: 'my/broken',
    inputs: {},
    outputs: {},
    behaviour: { kind: 'inline', run: () => ({}) },
    check: () => {
      throw new Error('on purpose');
    },
  },
];

const catalog = createCatalog([...builtInTypes({ functions: { discount: () => 1 } }), ...OWN]);
export const validate = (document: unknown) => validateDocument(document, { catalog, expressions: EXPRESSIONS });

const base = { apiVersion: 'nodeflow/v1', id: 'a', name: 'A', version: '1.0.0' };
export const step = (id: string, more: object = {}) => ({
  id,
  type: 'expression',
  data: { config: { value: 1 } },
  ...more,
});
export const edge = (source: string, target: string, more: object = {}) => ({ source, target, ...more });
export const doc = (nodes: readonly object[], edges: readonly object[] = [], more: object = {}) => ({
  ...base,
  nodes,
  edges,
  ...more,
});

/** What is told of each, as `code pointer`. */
export const CASES: { readonly [what: string]: readonly [document: unknown, faults: readonly string[]] } = {
  'nothing wrong': [doc([step('a'), step('b')], [edge('a', 'b')]), []],
  'no object': [[1], ['workflow.schema ']],
  'lacks everything': [{}, ['apiVersion', 'id', 'name', 'version', 'nodes', 'edges'].map(() => 'workflow.schema ')],
  misspelled: [{ ...doc([step('a')]), versoin: 1 }, ['workflow.unknown-field /versoin']],
  'wrong values of fields': [
    {
      ...doc([step('a', { data: { policy: { join: 'some', timeout: { run: 'soon' }, priority: 12 } } })]),
      version: '1',
    },
    [
      'workflow.schema /version',
      'workflow.schema /nodes/0/data/policy/join',
      'workflow.schema /nodes/0/data/policy/timeout/run',
      'workflow.schema /nodes/0/data/policy/priority',
      'workflow.config /nodes/0/data/config',
    ],
  ],
  'duplicate ids': [
    doc(
      [step('a'), step('b'), step('a')],
      [edge('a', 'b', { id: 'e' }), edge('b', 'a', { id: 'e', data: { kind: 'control' } })],
    ),
    ['workflow.duplicate-id /nodes/2/id', 'workflow.duplicate-id /edges/1/id', 'workflow.cycle /nodes/0'],
  ],
  'the same edge twice': [
    doc([step('a'), step('b')], [edge('a', 'b'), edge('a', 'b', { sourceHandle: 'out' })]),
    ['workflow.duplicate-edge /edges/1'],
  ],
  'unknown types': [
    doc([
      { id: 'a', type: 'expresion' },
      { id: 'b', type: 'my/sum@7' },
      { id: 'c', type: 'zzzzzzz' },
    ]),
    [
      'workflow.unknown-type /nodes/0/type',
      'workflow.unknown-type /nodes/1/type',
      'workflow.unknown-type /nodes/2/type',
    ],
  ],
  'a configuration that does not fit': [
    doc([
      { id: 'a', type: 'delay', data: { config: { for: 5, untill: 'x' } } },
      { id: 'b', type: 'expression' },
    ]),
    [
      'workflow.config /nodes/0/data/config/untill',
      'workflow.config /nodes/0/data/config/for',
      'workflow.config /nodes/1/data/config',
    ],
  ],
  'expressions stand for whatever is wanted': [
    doc([
      { id: 'm', type: 'map', data: { config: { items: [1], concurrency: '= input.n' } } },
      step('c', { parentId: 'm' }),
    ]),
    [],
  ],
  'unknown nodes': [
    doc([step('pay')], [edge('pya', 'pay'), edge('pay', 'x')], { pins: { q: [1] } }),
    ['workflow.unknown-node /edges/0/source', 'workflow.unknown-node /edges/1/target', 'workflow.unknown-node /pins/q'],
  ],
  'unknown ports': [
    doc(
      [step('a'), { id: 's', type: 'my/sum@1' }],
      [edge('a', 's'), edge('s', 'a'), edge('s', 'a', { sourceHandle: 'summ', targetHandle: 'in' })],
    ),
    [
      'workflow.unknown-port /edges/0/targetHandle',
      'workflow.unknown-port /edges/1/sourceHandle',
      'workflow.unknown-port /edges/2/sourceHandle',
      'workflow.cycle /nodes/0',
    ],
  ],
  'kinds that do not fit': [
    doc(
      [step('a'), { id: 'r', type: 'rows' }, { id: 'all', type: 'all' }, step('b')],
      [edge('r', 'a'), edge('a', 'all'), edge('all', 'b')],
    ),
    ['workflow.port-kind /edges/0', 'workflow.port-kind /edges/1'],
  ],
  'types that do not fit': [
    doc(
      [
        { id: 'a', type: 'my/sum@1' },
        { id: 'b', type: 'my/sum@1' },
        { id: 'c', type: 'my/sum@1' },
      ],
      [
        edge('a', 'b', { sourceHandle: 'text', targetHandle: 'left' }),
        edge('b', 'c', { sourceHandle: 'sum', targetHandle: 'left' }),
      ],
    ),
    ['workflow.port-type /edges/0', 'workflow.missing-input /nodes/0'],
  ],
  circles: [
    doc(
      [step('a'), step('b'), step('c'), step('d'), step('e')],
      [
        edge('a', 'b'),
        edge('b', 'c'),
        edge('c', 'a'),
        edge('d', 'd'),
        edge('c', 'e'),
        edge('e', 'c', { data: { kind: 'control' } }),
      ],
    ),
    ['workflow.cycle /nodes/0', 'workflow.cycle /nodes/3'],
  ],
  parents: [
    doc([
      step('a', { parentId: 'b' }),
      step('b'),
      step('c', { parentId: 'nobody' }),
      { id: 'm', type: 'map', parentId: 'n', data: { config: { items: [] } } },
      { id: 'n', type: 'try', parentId: 'm' },
      { id: 'o', type: 'try' },
    ]),
    [
      'workflow.parent /nodes/0/parentId',
      'workflow.unknown-node /nodes/2/parentId',
      'workflow.parent /nodes/3/parentId',
      'workflow.empty-container /nodes/5',
    ],
  ],
  'edges across levels': [
    doc(
      [
        { id: 't', type: 'try', data: { config: { catch: ['c', 'x'], finally: ['c'] } } },
        step('a', { parentId: 't' }),
        step('c', { parentId: 't' }),
        step('out'),
      ],
      [edge('a', 'out'), edge('a', 'c')],
    ),
    [
      'workflow.unknown-node /nodes/0/data/config/catch/1',
      'workflow.config /nodes/0/data/config/finally/0',
      'workflow.edge-crosses /edges/0',
      'workflow.edge-crosses /edges/1',
    ],
  ],
  'loops without an end': [
    doc([
      { id: 'l', type: 'loop', data: { config: { while: 'true' } } },
      step('a', { parentId: 'l' }),
      { id: 'k', type: 'loop', data: { config: { while: 'true', max: '= input.n' } } },
      step('b', { parentId: 'k' }),
    ]),
    ['workflow.unbounded-loop /nodes/0/data/config', 'workflow.unbounded-loop /nodes/2/data/config/max'],
  ],
  expressions: [
    doc(
      [
        step('a', { data: { config: { value: { x: ['= input.a +'], y: '= item' } } } }),
        { id: 's', type: 'switch', data: { config: { cases: [{ port: 'p', when: 'nothing > 1' }] } } },
        step('e', {
          data: { config: { value: '= error.code' }, policy: { join: { when: 's.succeeded || q.failed' } } },
        }),
        step('ok', { data: { config: { value: '= error.code + value.code' } } }),
      ],
      [
        edge('a', 's', { data: { when: 'value >', map: { z: '= inputs' } } }),
        edge('s', 'e', { sourceHandle: 'p' }),
        edge('s', 'ok', { sourceHandle: 'error' }),
      ],
      { outputs: { all: '= node.a' } },
    ),
    [
      'workflow.expression /nodes/0/data/config/value/x/0',
      'workflow.expression /nodes/0/data/config/value/y',
      'workflow.expression /nodes/1/data/config/cases/0/when',
      'workflow.expression /nodes/2/data/config/value',
      'workflow.expression /nodes/2/data/policy/join/when',
      'workflow.expression /edges/0/data/when',
      'workflow.expression /edges/0/data/map/z',
      'workflow.expression /outputs/all',
    ],
  ],
  'in containers there is more to read': [
    doc([
      { id: 'm', type: 'map', data: { config: { items: 'input.list' } } },
      { id: 'l', type: 'loop', parentId: 'm', data: { config: { while: 'iteration < item', max: 3 } } },
      step('a', { parentId: 'l', data: { config: { value: '= [item, index, last, iteration, now]' } } }),
      { id: 't', type: 'try', parentId: 'l', data: { config: { catch: ['c'] } } },
      step('b', { parentId: 't' }),
      step('c', { parentId: 't', data: { config: { value: '= error.message' } } }),
    ]),
    [],
  ],
  'failures that lead nowhere, joins that cannot hold': [
    doc(
      [
        step('a', { data: { config: { value: 1 }, policy: { onError: 'route' } } }),
        step('b', { data: { config: { value: 1 }, policy: { join: { atLeast: 2 } } } }),
      ],
      [edge('a', 'b')],
    ),
    ['workflow.error-not-wired /nodes/0/data/policy/onError', 'workflow.join /nodes/1/data/policy/join'],
  ],
  compensation: [
    doc(
      [
        step('a', { data: { config: { value: 1 }, compensation: 'undo' } }),
        step('undo'),
        step('b', { data: { config: { value: 1 }, compensation: 'a' } }),
        step('c', { data: { config: { value: 1 }, compensation: 'nobody' } }),
        step('d', { data: { config: { value: 1 }, compensation: 'undo' } }),
      ],
      [edge('a', 'b')],
    ),
    [
      'workflow.compensation /nodes/2/data/compensation',
      'workflow.unknown-node /nodes/3/data/compensation',
      'workflow.compensation /nodes/4/data/compensation',
    ],
  ],
  secrets: [
    doc(
      [
        step('a', {
          data: {
            config: { value: { apiKey: 'abc', db_password: 'x', token: '= input.token', password: { secret: 'DB' } } },
          },
        }),
        step('b', {
          data: {
            config: {
              value: [
                'Bearer abcdefghijklmnop',
                'AKIAABCDEFGHIJKLMNOP',
                'postgres://me:hidden@db/x',
                '= "Bearer 0123456789abcdef"',
              ],
            },
          },
        }),
      ],
      [],
      { labels: { apiToken: 'shh' } },
    ),
    [
      'workflow.secret /labels/apiToken',
      'workflow.secret /nodes/0/data/config/value/apiKey',
      'workflow.secret /nodes/0/data/config/value/db_password',
      'workflow.secret /nodes/1/data/config/value/0',
      'workflow.secret /nodes/1/data/config/value/1',
      'workflow.secret /nodes/1/data/config/value/2',
      'workflow.secret /nodes/1/data/config/value/3',
    ],
  ],
  'prototype names': [
    JSON.parse(
      '{"__proto__": 1, "apiVersion": "nodeflow/v1", "id": "a", "name": "A", "version": "1.0.0", "edges": [], "nodes": [{"id": "constructor", "type": "merge"}]}',
    ),
    ['workflow.prototype-name /__proto__', 'workflow.prototype-name /nodes/0/id'],
  ],
  'names of inherited fields are names like others': [
    doc([step('toString'), step('hasOwnProperty')], [edge('toString', 'hasOwnProperty')]),
    [],
  ],
  'functions of the program': [
    doc([
      { id: 'a', type: 'function', data: { config: { name: 'discuont' } } },
      { id: 'b', type: 'function', data: { config: { name: 'discount' } } },
      { id: 'c', type: 'task', data: { config: { name: 'any' } } },
    ]),
    ['workflow.unknown-function /nodes/0/data/config'],
  ],
  schedules: [
    doc([step('a')], [], {
      triggers: [
        { type: 'schedule', config: { cron: 'nonsense', timeZone: 'Mars/Base' } },
        { type: 'schedule' },
        { type: 'schedule', config: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' } },
      ],
    }),
    [
      'workflow.schedule /triggers/0/config',
      'workflow.schedule /triggers/0/config',
      'workflow.schedule /triggers/1/config',
    ],
  ],
  'bounds and inputs of schedules': [
    doc([step('a')], [], {
      inputs: { region: { kind: 'value', schema: { type: 'string' } } },
      triggers: [
        { type: 'schedule', config: { cron: '@daily', from: 'tomorrow', input: { region: 7 } } },
        { type: 'schedule', config: { cron: '@daily', until: '2026-01-01T00:00:00Z', from: '2026-01-02T00:00:00Z' } },
        { type: 'schedule', config: { cron: '@daily', timezone: 'UTC', input: 'north' } },
        { type: 'schedule', config: { cron: '@daily', input: { region: 'north' } } },
      ],
    }),
    [
      'workflow.schedule /triggers/0/config/input/region',
      'workflow.schedule /triggers/0/config/from',
      'workflow.schedule /triggers/1/config/input/region',
      'workflow.schedule /triggers/1/config',
      'workflow.schedule /triggers/2/config/timezone',
      'workflow.schedule /triggers/2/config/input',
    ],
  ],
  'inputs by what is no schema': [
    doc([step('a')], [], {
      inputs: { region: { kind: 'value', schema: { type: 'txt' } } },
      triggers: [{ type: 'schedule', config: { cron: '@daily', input: { region: 'north' } } }],
    }),
    ['workflow.schema /inputs/region/schema'],
  ],
  spans: [
    doc([step('a', { data: { config: { value: 1 }, policy: { timeout: { run: '999999999999d' } } } })]),
    ['workflow.duration /nodes/0/data/policy/timeout/run'],
  ],
  'types with broken code': [doc([{ id: 'a', type: 'my/broken' }]), ['workflow.node-type /nodes/0']],
  'no JSON': [
    doc([step('a', { position: { x: Number.NaN, y: 1 }, data: { config: { value: () => 1 } } })]),
    [
      'workflow.not-json /nodes/0/position/x',
      'workflow.not-json /nodes/0/data/config/value',
      'workflow.schema /nodes/0/position',
      'workflow.config /nodes/0/data/config',
    ],
  ],
};
