import { type CompileOptions, type ExprType, orNull } from '../expressions/expressions.ts';
import type { CodeRole } from './node-code.ts';
import type { PlanNode } from './plan.ts';

/** The type of the values of a format, by its name. */
export type TypeOfFormat = (format: string) => ExprType;

/** What an expression in a role is given, in the order of the parameters of a function there, and what it has to answer. */
export interface ExpressionRole extends CompileOptions {
  readonly params: readonly string[];
}

/** `undefined` where no expression may stand. */
export function expressionRole(
  node: PlanNode,
  role: CodeRole,
  nodeNamed: (id: string) => PlanNode | undefined,
  typeOf: TypeOfFormat,
): ExpressionRole | undefined {
  const params = paramsOf(node, role);
  if (params === undefined) return undefined;
  const known = (format: string | null | undefined): ExprType => orNull(format ? typeOf(format) : 'dyn');
  const inputs = node.inputs.map(nodeNamed);
  const which = role.startsWith('add-') ? Number(role.slice(4)) - 1 : 0;
  // a source is given what lies in its topic
  const first = node.inputs.length === 0 ? node : inputs[which];
  const types: { readonly [param: string]: ExprType } = {
    value: known(first?.value),
    previous: known(first?.value),
    key: known(first?.key),
    row: known(inputs[1]?.value),
    left: known(node.kind === 'joinForeign' ? node.leftValue : inputs[0]?.value),
    right: known(node.kind === 'joinForeign' ? node.rightValue : inputs[1]?.value),
    aggregate: known(node.value),
    a: known(node.value),
    b: known(node.value),
  };
  const scope = Object.fromEntries(params.map((name) => [name, types[name]!]));
  const expect = expected(node, role);
  return expect === undefined ? { params, scope } : { params, scope, expect };
}

const RECORD = ['value', 'key'];
const SIDES = ['left', 'right', 'key'];

function paramsOf(node: PlanNode, role: CodeRole): readonly string[] | undefined {
  switch (node.kind) {
    case 'source':
    case 'filter':
    case 'map':
    case 'mapValues':
    case 'flatMap':
    case 'flatMapValues':
    case 'selectKey':
    case 'branch':
    case 'filterTable':
    case 'mapTable':
    case 'groupTable':
    case 'deduplicate':
    case 'subscribeForeign':
      return RECORD;
    case 'read':
      return role === 'source' ? undefined : RECORD;
    case 'difference':
      return ['value', 'previous', 'key'];
    case 'aggregate':
    case 'aggregateTable':
      return aggregateParams(role);
    case 'joinTable':
      return ['value', 'row', 'key'];
    case 'joinTables':
    case 'joinStreams':
      return SIDES;
    case 'joinForeign':
      return role === 'foreignKey' ? RECORD : SIDES;
    case 'joinGlobal':
    case 'lookup':
      if (role === 'merge') return ['value', 'row', 'key'];
      return node.kind === 'joinGlobal' ? RECORD : undefined;
    default:
      return undefined;
  }
}

function aggregateParams(role: CodeRole): readonly string[] | undefined {
  if (role === 'initial') return [];
  if (role === 'merge') return ['a', 'b', 'key'];
  if (role === 'gap') return RECORD;
  return role === 'subtract' || /^add(?:-\d+)?$/.test(role) ? ['aggregate', 'value', 'key'] : undefined;
}

function expected(node: PlanNode, role: CodeRole): ExprType | undefined {
  if (node.kind === 'filter' || node.kind === 'filterTable' || node.kind === 'branch') return 'bool';
  if (role === 'time' || role === 'gap') return 'number';
  if (node.kind === 'map' || node.kind === 'groupTable') return { list: 'dyn' };
  if (node.kind === 'flatMapValues') return { list: 'dyn' };
  return node.kind === 'flatMap' ? { list: { list: 'dyn' } } : undefined;
}
