import { type Random, randomInt, seededRandom } from '../../../core/random.ts';
import type { Join } from '../../graph.ts';
import {
  type EdgeSketch,
  type GraphSpec,
  type Kind,
  type NodeSketch,
  type OutcomeScope,
  whenJoin,
} from './build-graph.ts';

/** Of a graph: the same numbers make the same one. */
export interface Recipe {
  readonly seed: number;
  readonly nodes: number;
}

/** Graphs of every kind of node, policy and edge; the fewer nodes, the simpler they are. */
export function graphOf({ seed, nodes }: Recipe): GraphSpec {
  return randomGraph(seededRandom(seed), nodes);
}

/** The same, with segments for most of its tasks. */
export function withSegments(spec: GraphSpec, seed: number): GraphSpec {
  const random = seededRandom(seed);
  const nodes = spec.nodes.map((node): NodeSketch => {
    return node.kind === 'task' && chance(random, 0.7) ? { ...node, kind: 'operator' } : node;
  });
  return { ...spec, nodes };
}

const TOP: readonly Kind[] = [
  'inline',
  'inline',
  'inline',
  'task',
  'task',
  'switch',
  'delay',
  'signal',
  'approval',
  'child',
  'map',
  'loop',
  'try',
  'operator',
];
const WITHIN: readonly Kind[] = ['inline', 'inline', 'task', 'task', 'switch', 'delay', 'try', 'map', 'operator'];
const LEAVES: readonly Kind[] = ['inline', 'task', 'task', 'operator'];

interface Making {
  readonly random: Random;
  readonly nodes: NodeSketch[];
  readonly edges: EdgeSketch[];
}

function randomGraph(random: Random, count: number): GraphSpec {
  const making: Making = { random, nodes: [], edges: [] };
  level(making, count, TOP, 0, undefined, 'n');
  return { nodes: making.nodes, edges: making.edges };
}

function chance(random: Random, of: number): boolean {
  return random.next() < of;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[randomInt(random, from.length)]!;
}

function level(
  making: Making,
  count: number,
  kinds: readonly Kind[],
  depth: number,
  parent: string | undefined,
  prefix: string,
  role?: NodeSketch['role'],
): void {
  const { random, nodes, edges } = making;
  const ids: string[] = [];
  const kindOf = new Map<string, Kind>();
  for (let i = 0; i < count; i++) {
    const id = `${prefix}${i}`;
    const kind = pick(random, kinds);
    const incoming = edgesTo(making, id, ids, kindOf);
    kindOf.set(id, kind);
    ids.push(id);
    edges.push(...incoming);
    const undo = parent === undefined && (kind === 'task' || kind === 'inline') && chance(random, 0.15);
    nodes.push({
      ...sketch(random, id, kind, incoming),
      ...(parent === undefined ? {} : { parent }),
      ...(role === undefined ? {} : { role }),
      ...(undo ? { compensation: `${id}undo` } : {}),
    });
    if (undo) nodes.push({ id: `${id}undo`, kind: pick(random, ['inline', 'task']) });
    children(making, id, kind, depth);
    if (kind === 'operator') ids.push(...segment(making, id, { parent, role }, kindOf));
  }
}

/** Inner nodes of a segment, those that give a value behind an edge that carries it. */
function segment(
  { random, nodes, edges }: Making,
  standIn: string,
  { parent, role }: { readonly parent: string | undefined; readonly role: NodeSketch['role'] },
  kindOf: Map<string, Kind>,
): readonly string[] {
  const ids = Array.from({ length: randomInt(random, 4) }, (_, i) => `${standIn}i${i}`);
  for (const id of ids) {
    kindOf.set(id, 'inner');
    nodes.push({
      // every other one starts executions for records
      ...{ id, kind: 'inner', standIn, starts: id.endsWith('0') },
      ...(parent === undefined ? {} : { parent }),
      ...(role === undefined ? {} : { role }),
    });
    if (chance(random, 0.4)) edges.push({ from: standIn, to: id, port: `${id}.out` });
    else edges.push({ from: standIn, to: id, kind: 'control' });
  }
  return ids;
}

function children(making: Making, id: string, kind: Kind, depth: number): void {
  const { random } = making;
  if (kind !== 'map' && kind !== 'loop' && kind !== 'try') return;
  const kinds = depth === 0 ? WITHIN : LEAVES;
  level(making, 1 + randomInt(random, 3), kinds, depth + 1, id, `${id}b`, kind === 'try' ? 'body' : undefined);
  if (kind !== 'try') return;
  if (chance(random, 0.6)) level(making, 1, LEAVES, depth + 1, id, `${id}c`, 'catch');
  if (chance(random, 0.6)) level(making, 1 + randomInt(random, 2), LEAVES, depth + 1, id, `${id}f`, 'finally');
}

function edgesTo(making: Making, to: string, ids: readonly string[], kindOf: ReadonlyMap<string, Kind>): EdgeSketch[] {
  const { random } = making;
  const found: EdgeSketch[] = [];
  for (const from of ids) {
    if (!chance(random, ids.length < 3 ? 0.6 : 0.35)) continue;
    const isError = chance(random, 0.12);
    const source = kindOf.get(from);
    const isControl = chance(random, 0.1) || source === 'operator';
    const kind = isError ? 'error' : isControl ? 'control' : 'data';
    const port = isError
      ? undefined
      : source === 'switch'
        ? pick(random, ['yes', 'else'])
        : source === 'approval'
          ? pick(random, ['approved', 'rejected'])
          : undefined;
    const isMaybe = !isError && chance(random, 0.1);
    found.push({
      ...{ from, to, kind, toPort: chance(random, 0.1) ? 'side' : 'in' },
      ...(port === undefined ? {} : { port }),
      ...(isMaybe ? { when: () => false } : {}),
    });
  }
  return found;
}

function sketch(random: Random, id: string, kind: Kind, incoming: readonly EdgeSketch[]): NodeSketch {
  const isTask = kind === 'task' || kind === 'operator';
  return {
    ...{ id, kind, join: joinOf(random, incoming), config: configOf(random, kind) },
    required: !chance(random, 0.2),
    onError: pick(random, ['fail', 'fail', 'fail', 'continue', 'route', 'hold', 'dead-letter']),
    disabled: chance(random, 0.03),
    retry: { maxAttempts: 1 + randomInt(random, 3), backoff: pick(random, ['none', 'fixed', 'exponential']) },
    timeouts: {
      queueMs: isTask && chance(random, 0.1) ? 5000 : null,
      runMs: (isTask || kind === 'signal' || kind === 'map') && chance(random, 0.2) ? 8000 : null,
      totalMs: kind !== 'inline' && chance(random, 0.1) ? 30_000 : null,
    },
  };
}

function joinOf(random: Random, incoming: readonly EdgeSketch[]): Join {
  const at = random.next();
  if (incoming.length === 0 || at < 0.6) return { policy: 'all' };
  if (at < 0.7) return { policy: 'any' };
  if (at < 0.8) return { policy: 'all-done' };
  if (at < 0.9) return { policy: 'atLeast', count: 1 + randomInt(random, incoming.length) };
  const { from } = pick(random, incoming);
  const word = pick(random, ['succeeded', 'failed', 'skipped', 'cancelled'] as const);
  return whenJoin(
    (outcomes: OutcomeScope) => outcomes[from]![word] || incoming.every((each) => outcomes[each.from]!.succeeded),
  );
}

function configOf(random: Random, kind: Kind): NonNullable<NodeSketch['config']> {
  switch (kind) {
    case 'switch':
      return { cases: [{ port: 'yes', when: chance(random, 0.5) }] };
    case 'delay':
      return { for: `${randomInt(random, 20)}s` };
    case 'signal':
      return { name: `s${randomInt(random, 2)}` };
    case 'approval':
      return chance(random, 0.5) ? { title: 'well?', escalateAfter: '3s' } : { title: 'well?' };
    case 'child':
      return { workflow: 'other' };
    case 'map':
      return {
        items: Array.from({ length: randomInt(random, 5) }, (_, i) => i),
        concurrency: 1 + randomInt(random, 3),
        onItemFailure: pick(random, ['fail', 'null', 'omit']),
      };
    case 'loop': {
      const rounds = randomInt(random, 4);
      const max = chance(random, 0.1) ? 1 : 10;
      return ({ iteration }) => ({ while: (iteration as number) < rounds, max });
    }
    default:
      return {};
  }
}
