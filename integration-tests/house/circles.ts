import { COMPOSITION_POINTS } from './rules.ts';
import { type Fault, isTest, roomOf } from './tree.ts';

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/**
 * Circles between rooms, between files of different rooms, and between files of one room that need each other's
 * values. Within a room a contract may name what implements it, and that may use the contract.
 */
export function circleFaults(edges: readonly Edge[]): readonly Fault[] {
  const own = edges.filter((edge) => !isTest(edge.from) && !COMPOSITION_POINTS.includes(edge.from));
  const faults: Fault[] = [];
  const inside = own.filter((edge) => {
    const room = roomOf(edge.from);
    return room !== roomOf(edge.to) || (!edge.typeOnly && edge.to !== `${room}/${room}.ts`);
  });
  for (const circle of circles(inside)) {
    faults.push({ rule: 'circle', file: circle[0]!.from, line: circle[0]!.line, message: walk(circle) });
  }
  const rooms = own
    .filter((edge) => roomOf(edge.from) !== roomOf(edge.to) && roomOf(edge.from) !== '' && roomOf(edge.to) !== '')
    .map((edge) => ({ ...edge, from: roomOf(edge.from), to: roomOf(edge.to), file: edge.from }));
  for (const circle of circles(rooms)) {
    const first = circle[0]! as Edge & { file: string };
    faults.push({ rule: 'circle', file: first.file, line: first.line, message: `rooms: ${walk(circle)}` });
  }
  return faults;
}

const walk = (circle: readonly Edge[]): string => [circle[0]!.from, ...circle.map((edge) => edge.to)].join(' -> ');

/** One circle for each edge that closes one in a depth-first walk. */
function circles(edges: readonly Edge[]): readonly (readonly Edge[])[] {
  const out = new Map<string, Edge[]>();
  for (const edge of edges) {
    const list = out.get(edge.from);
    if (list === undefined) out.set(edge.from, [edge]);
    else list.push(edge);
  }
  const done = new Set<string>();
  const path: Edge[] = [];
  const found: Edge[][] = [];
  const visit = (node: string) => {
    for (const edge of out.get(node) ?? []) {
      const start = edge.to === node ? path.length : path.findIndex((step) => step.from === edge.to);
      if (start >= 0 && !done.has(edge.to)) found.push([...path.slice(start), edge]);
      else if (!done.has(edge.to)) {
        path.push(edge);
        visit(edge.to);
        path.pop();
      }
    }
    done.add(node);
  };
  for (const node of out.keys()) if (!done.has(node)) visit(node);
  return found;
}
