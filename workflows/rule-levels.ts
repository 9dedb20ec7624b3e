import { durationOf } from './duration.ts';
import { type FaultList, type Path, quoted } from './faults.ts';
import type { Judged, JudgedNode } from './judged.ts';

/** Containers, what lies in them, and what compensates. */
export function judgeLevels(judged: Judged): void {
  const { nodes, faults, find } = judged;
  const inside = insideThemselves(judged);
  const undone = new Map<string, JudgedNode>();
  for (const one of nodes) {
    const { index, node, type } = one;
    const path = ['nodes', index];
    if (node.parentId !== undefined) {
      const parent = find(node.parentId);
      if (parent === undefined) {
        faults.add(
          'workflow.unknown-node',
          [...path, 'parentId'],
          `${node.id} lies in ${node.parentId}, which is not there`,
          'Name a container of the document, or leave parentId out.',
        );
      } else if (parent.type !== undefined && parent.type.behaviour.kind !== 'container') {
        faults.add(
          'workflow.parent',
          [...path, 'parentId'],
          `${node.id} lies in ${node.parentId}, whose type ${parent.node.type} takes no children`,
          'Put it into a loop, map or try.',
        );
      }
      const circle = inside.get(one);
      if (circle !== undefined) {
        faults.add(
          'workflow.parent',
          [...path, 'parentId'],
          `${node.id} lies in itself: ${circle}`,
          'Take one of them out of its parent.',
        );
      }
    }
    if (type?.behaviour.kind === 'container') judgeContainer(one, judged);
    judgeCompensation(one, judged, undone);
  }
}

/** Containers in containers, at most. */
export const MAX_LEVELS = 16;

/** Nodes that are their own ancestors, with the way; and how deep all others lie. */
function insideThemselves({ nodes, find, faults }: Judged): ReadonlyMap<JudgedNode, string> {
  const depths = new Map<JudgedNode, number>();
  const found = new Map<JudgedNode, string>();
  for (const start of nodes) {
    const way = new Set<JudgedNode>();
    let at: JudgedNode | undefined = start;
    while (at !== undefined && !depths.has(at) && !way.has(at)) {
      way.add(at);
      at = at.node.parentId === undefined ? undefined : find(at.node.parentId);
    }
    const up = [...way];
    if (at !== undefined && way.has(at)) {
      const circle = [...up.slice(up.indexOf(at)), at].map(({ node }) => node.id);
      found.set(at, quoted(circle.join(' > ')));
    }
    let depth = at === undefined || way.has(at) ? -1 : depths.get(at)!;
    for (const node of up.reverse()) {
      depths.set(node, ++depth);
      if (depth !== MAX_LEVELS) continue;
      const message = `${node.node.id} lies in more than ${MAX_LEVELS} containers`;
      faults.add('workflow.too-deep', ['nodes', node.index], message, 'Make a workflow of its own of the inner ones.');
    }
  }
  return found;
}

function judgeContainer({ index, node, type, children }: JudgedNode, { faults }: Judged): void {
  const path = ['nodes', index];
  const isTry = type!.behaviour.kind === 'container' && type!.behaviour.how === 'try';
  const [caught, last] = ['catch', 'finally'].map((part) => textsOf(node.data?.config?.[part]));
  const ids = new Set(children.map((child) => child.node.id));
  const body = children.filter(
    (child) => !isTry || !(caught!.includes(child.node.id) || last!.includes(child.node.id)),
  );
  if (body.length === 0) {
    faults.add(
      'workflow.empty-container',
      path,
      `${node.id} has nothing to run`,
      `Give nodes "parentId": "${node.id}".`,
    );
  }
  if (!isTry) return;
  for (const [part, names] of [
    ['catch', caught!],
    ['finally', last!],
  ] as const) {
    for (const [i, name] of names.entries()) {
      const place: Path = [...path, 'data', 'config', part, i];
      if (!ids.has(name)) {
        faults.add(
          'workflow.unknown-node',
          place,
          `${part} of ${node.id} names ${name}, which does not lie in it`,
          `Give it "parentId": "${node.id}".`,
        );
      } else if (part === 'finally' && caught!.includes(name)) {
        faults.add(
          'workflow.config',
          place,
          `${name} of ${node.id} is in both catch and finally`,
          'Take it out of one.',
        );
      }
    }
  }
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [];
}

/** `undone`: what was judged before, by what compensates it. */
function judgeCompensation(one: JudgedNode, { faults, find }: Judged, undone: Map<string, JudgedNode>): void {
  const { index, node } = one;
  const id = node.data?.compensation;
  if (id === undefined) return;
  const before = undone.get(id);
  if (before === undefined) undone.set(id, one);
  const path = ['nodes', index, 'data', 'compensation'];
  const other = find(id);
  if (other === undefined) {
    faults.add(
      'workflow.unknown-node',
      path,
      `${node.id} is compensated by ${id}, which is not there`,
      'Name a node of the document.',
    );
    return;
  }
  const why =
    other.node === node
      ? 'is itself'
      : other.node.parentId !== node.parentId
        ? 'lies on another level'
        : other.incoming.length + other.outgoing.length > 0
          ? 'has edges'
          : other.type?.behaviour.kind === 'container'
            ? 'is a container'
            : before !== undefined
              ? `compensates ${before.node.id} too`
              : undefined;
  if (why === undefined) return;
  faults.add(
    'workflow.compensation',
    path,
    `what compensates ${node.id}, ${id}, ${why}`,
    'Name a node without edges on the same level, which runs only for this.',
  );
}

/** Spans that fit the pattern and are beyond reason. */
export function judgeSpans(policy: unknown, path: Path, faults: FaultList): void {
  if (typeof policy === 'string') {
    if (/^(\d+(ms|s|m|h|d)|P[\dT].*)$/.test(policy) && durationOf(policy) === undefined) {
      faults.add('workflow.duration', path, `${policy} is longer than a thousand years, or no span`, 'Give less.');
    }
  } else if (typeof policy === 'object' && policy !== null) {
    for (const [name, field] of Object.entries(policy)) {
      if (name !== 'key' && name !== 'pool' && name !== 'when') judgeSpans(field, [...path, name], faults);
    }
  }
}
