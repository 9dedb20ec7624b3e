import type { CodeRef, PlanNode, WindowSpec } from './plan.ts';

/** What a function is to the node that names it: it tells what the function is given, and what it answers. */
export type CodeRole =
  | 'add'
  | `add-${number}`
  | 'arm'
  | 'assign'
  | 'by'
  | 'close'
  | 'fn'
  | 'foreignKey'
  | 'gap'
  | 'initial'
  | 'key'
  | 'merge'
  | 'mergeWindows'
  | 'source'
  | 'subtract'
  | 'supplier'
  | 'time';

/** A function that a node names, and what it is to the node: the role that stands in the reference. */
export interface NodeCode {
  readonly role: CodeRole;
  readonly ref: CodeRef;
}

export function codeOf(node: PlanNode): readonly NodeCode[] {
  return pairs(node).flatMap(([role, ref]) => (ref === null ? [] : [{ role, ref }]));
}

type Pair = readonly [role: CodeRole, ref: CodeRef | null];

function pairs(node: PlanNode): readonly Pair[] {
  switch (node.kind) {
    case 'source':
      return [['time', node.time]];
    case 'read':
      return [
        ['source', node.source],
        ['key', node.keyOf],
        ['time', node.time],
      ];
    case 'branch':
      return node.arms.map(({ fn }) => ['arm', fn]);
    case 'aggregate':
      return [
        ['add', node.add],
        ['initial', node.initial],
        ['merge', node.merge],
        ...(node.adds ?? []).map((ref, i): Pair => [`add-${i + 1}`, ref]),
        ...codeOfWindow(node.window),
      ];
    case 'aggregateTable':
      return [
        ['add', node.add],
        ['subtract', node.subtract],
        ['initial', node.initial],
      ];
    case 'joinTable':
    case 'joinTables':
    case 'joinStreams':
      return [['merge', node.merge]];
    case 'joinForeign':
      return [
        ['merge', node.merge],
        ['foreignKey', node.names?.foreignKey ?? null],
      ];
    case 'subscribeForeign':
      return [['foreignKey', node.foreignKey]];
    case 'joinGlobal':
      return [
        ['key', node.keyOf],
        ['merge', node.merge],
      ];
    case 'lookup':
      return [
        ['fn', node.fn],
        ['merge', node.merge],
      ];
    case 'process':
      return [['supplier', node.supplier]];
    case 'deduplicate':
      return [['by', node.by]];
    default:
      return 'fn' in node ? [['fn', node.fn]] : [];
  }
}

function codeOfWindow(window: WindowSpec | null): readonly Pair[] {
  if (window?.type === 'session') return typeof window.gapMs === 'string' ? [['gap', window.gapMs]] : [];
  if (window?.type !== 'custom') return [];
  return [
    ['assign', window.assign],
    ['mergeWindows', window.merge],
    ['close', window.close],
  ];
}
