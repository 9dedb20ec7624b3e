import { isFlowError } from '../../core/errors.ts';
import { string } from '../../schemas/schemas.ts';
import { type Stream, type Topology, topic, topology } from '../../topology/topology.ts';
import type { Verdict } from './judge.ts';
import type { Derived } from './vector.ts';

interface Input {
  readonly external: { readonly [topic: string]: number };
  /** Null or `derived`: the user says no count. */
  readonly repartition: { readonly [name: string]: { readonly enforced?: number; readonly derived?: number } | null };
}

interface Side {
  readonly name: string;
  readonly external: boolean;
  /** Undefined where nobody says it. */
  readonly count: number | undefined;
}

/** Counts that are tried where the vector says none. */
const TRIED = Array.from({ length: 12 }, (_, index) => index + 1);

/**
 * Joined inputs have equal counts. A repartition here always says its count, so one that says none stands for the
 * counts that the engine would take: the one expected must be among them, and where some input has a count of its
 * own, be the only one.
 */
export async function judgeCopartitioning({ input, expect }: Derived): Promise<Verdict> {
  const sides = sidesOf(input as unknown as Input);
  const free = sides.some(({ count }) => count === undefined);
  const fixed = sides.some(({ count }) => count !== undefined);
  const taken = (free ? TRIED : [0]).filter((tried) => isTaken(sides, tried));
  const { partitions, error } = expect as { readonly partitions?: number; readonly error?: string };
  if (error !== undefined) return taken.length === 0 ? passed() : failed(`expected a refusal: ${error}`);
  if (!free) return taken.length === 1 ? passed() : failed('was refused');
  const right = fixed ? taken.length === 1 && taken[0] === partitions : taken.includes(partitions!);
  return right ? passed() : failed(`expected ${partitions} partitions, takes ${taken.join(', ')}`);
}

function passed(): Verdict {
  return { kind: 'passed', differences: [] };
}

function failed(fault: string): Verdict {
  return { kind: 'failed', differences: [], fault };
}

function sidesOf({ external, repartition }: Input): readonly Side[] {
  return [
    ...Object.entries(external).map(([name, count]) => ({ name, external: true, count })),
    ...Object.entries(repartition).map(([name, said]) => ({ name, external: false, count: said?.enforced })),
  ];
}

/** Whether the first side, as a stream, may be joined with the second, as a table. */
function isTaken([left, right]: readonly Side[], tried: number): boolean {
  const app = topology('copartitioned');
  const table = streamOf(app, right!, tried).toTable({ store: 'rows' });
  const merge = (value: string, row: string) => value + row;
  streamOf(app, left!, tried).joinTable(table, { merge });
  try {
    app.build();
    return true;
  } catch (thrown) {
    if (isFlowError(thrown)) return false;
    throw thrown;
  }
}

function streamOf(app: Topology, side: Side, tried: number): Stream<string, string, number> {
  const { name, external, count = tried } = side;
  const texts = { key: string(), value: string() };
  if (external) return app.stream(topic(name, { ...texts, partitions: count }));
  const source = app.stream(topic(`before-${name}`, { ...texts, partitions: 1 as number }));
  return source.repartition({ name, ...texts, partitions: count });
}
