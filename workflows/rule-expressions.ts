import { messageOf } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import { type CompileOptions, type ExpressionFault, isSchema } from '../expressions/expressions.ts';
import { type Arriving, arrivals, emitted } from './arrivals.ts';
import type { ExpressionField } from './catalog.ts';
import { howOf, roleOf } from './container-parts.ts';
import { type Path, quoted } from './faults.ts';
import type { Judged, JudgedEdge, JudgedNode } from './judged.ts';
import { undeclaredCure } from './rule-sessions.ts';
import { edgeScope, inputType, joinScope, outputScope, scopeOf } from './scopes.ts';
import { sessionIdScope, sessionType, writeScope } from './session-declaration.ts';
import { compileTemplate, type ExpressionCompiler, isMarked, segmentsOf, sourceOf } from './template.ts';

/** Expressions can be read, and read what is there. */
export function judgeExpressions(judged: Judged): void {
  const { sound, nodes, edges, expressions, faults } = judged;
  for (const one of nodes) {
    if (faults.full) return;
    judgeNode(one, judged);
  }
  for (const one of edges) {
    if (faults.full) return;
    judgeEdge(one, judged);
  }
  const { session } = sound.document;
  if (typeof session?.id === 'string') {
    const own = sessionIdScope(sound.document, expressions.typeOf);
    judgeTemplate(session.id, [], own, ['session', 'id'], 'the id of the session', judged);
  }
  const scope = outputScope(sound.document.inputs, expressions.typeOf);
  for (const [name, json] of Object.entries(sound.document.outputs ?? {})) {
    judgeTemplate(json, [], scope, ['outputs', name], `the output ${name}`, judged);
  }
}

function judgeNode(one: JudgedNode, judged: Judged): void {
  const { index, node, type, incoming } = one;
  const path = ['nodes', index, 'data'];
  if (type !== undefined && node.data?.config !== undefined) {
    const fields = type.expressions ?? [];
    judgeTemplate(node.data.config, fields, nodeScope(one, judged), [...path, 'config'], node.id, judged);
  }
  judgeWrites(one, judged);
  const join = node.data?.policy?.join;
  if (typeof join !== 'object' || !('when' in join)) return;
  const scope = joinScope(incoming.map(({ edge }) => edge.source));
  judgeOne(join.when, { scope, expect: 'bool' }, [...path, 'policy', 'join', 'when'], `the join of ${node.id}`, judged);
}

function judgeWrites(one: JudgedNode, judged: Judged): void {
  const { index, node, ports } = one;
  const write = node.data?.session?.write;
  if (write === undefined || ports === undefined) return;
  const scope = writeScope(nodeScope(one, judged), ports.outputs, judged.expressions.typeOf);
  const place = `what ${node.id} writes to the session`;
  for (const [key, json] of Object.entries(write)) {
    const path = ['nodes', index, 'data', 'session', 'write', key];
    const schema = judged.sound.document.session?.keys?.[key]?.schema;
    if (typeof json === 'string' && isMarked(json) && isSchema(schema)) {
      judgeOne(json, { scope, expect: judged.expressions.typeOf(schema) }, path, place, judged);
    } else judgeTemplate(json, [], scope, path, place, judged);
  }
}

function judgeEdge(one: JudgedEdge, judged: Judged): void {
  const { index, edge, ends, source } = one;
  if (edge.data === undefined) return;
  const { typeOf } = judged.expressions;
  const value = ends === undefined || source?.ports === undefined ? 'dyn' : emitted(ends, source.ports, typeOf);
  const scope = edgeScope(judged.sound.document.inputs, value, typeOf);
  const path = ['edges', index, 'data'];
  const place = `the edge from ${edge.source} to ${edge.target}`;
  const { when, map, partitionBy } = edge.data;
  if (when !== undefined) judgeOne(when, { scope, expect: 'bool' }, [...path, 'when'], place, judged);
  if (map !== undefined) judgeTemplate(map, [], scope, [...path, 'map'], place, judged);
  if (partitionBy !== undefined) {
    const records = { scope: { ...scope, value: 'dyn', key: 'dyn', timestamp: 'number' } } as const;
    judgeOne(partitionBy, records, [...path, 'partitionBy'], place, judged);
  }
}

function nodeScope(one: JudgedNode, { sound, expressions, find }: Judged): CompileOptions['scope'] {
  const containers: ('loop' | 'map' | 'try')[] = [];
  let handles = one.incoming.some(({ ends }) => ends?.kind === 'error');
  const seen = new Set<JudgedNode>();
  if (howOf(one.type) === 'loop') containers.push('loop');
  for (let at: JudgedNode = one; at.node.parentId !== undefined && !seen.has(at); ) {
    seen.add(at);
    const up = find(at.node.parentId);
    if (up === undefined) break;
    handles ||= roleOf(at.node.id, up.node.data?.config) === 'catch';
    const how = howOf(up.type);
    if (how !== undefined) containers.push(how);
    at = up;
  }
  const { typeOf } = expressions;
  const start = one.node.parentId === undefined ? inputType(sound.document.inputs, typeOf) : 'dyn';
  const arriving = one.incoming.flatMap(({ edge, ends, source }): readonly Arriving[] =>
    ends === undefined || source?.ports === undefined ? [] : [{ edge, ends, sourcePorts: source.ports }],
  );
  const ports = one.ports ?? { inputs: {}, outputs: {} };
  const whole = arriving.length === one.incoming.length;
  const arrives = whole ? arrivals(arriving, ports, one.policy.join ?? 'all', start, typeOf) : {};
  const session = sessionType(sound.document.session, one.node.data?.session, typeOf);
  return scopeOf({ input: sound.document.inputs, arrives, containers, error: handles, session }, typeOf);
}

function judgeTemplate(
  json: Json,
  fields: readonly ExpressionField[],
  scope: CompileOptions['scope'],
  path: Path,
  place: string,
  judged: Judged,
): void {
  const { faults } = compileTemplate(json, fields, scope, careful(judged.expressions.compile));
  for (const { pointer, fault } of faults) tell(fault, [...path, ...segmentsOf(pointer)], place, judged);
}

function judgeOne(text: string, options: CompileOptions, path: Path, place: string, judged: Judged): void {
  for (const fault of careful(judged.expressions.compile)(sourceOf(text), options).faults ?? []) {
    tell(fault, path, place, judged);
  }
}

function tell(fault: ExpressionFault, path: Path, place: string, { faults }: Judged): void {
  const { message, cure, at } = fault;
  const where = at.line > 1 || at.column > 1 ? ` (line ${at.line}, column ${at.column})` : '';
  faults.add(
    'workflow.expression',
    path,
    `an expression of ${quoted(place)}: ${message}${where}`,
    undeclaredCure(fault) ?? cure,
  );
}

/** Whatever becomes of a text, it is a fault of the document. */
function careful(compile: ExpressionCompiler): ExpressionCompiler {
  return (source, options) => {
    try {
      return compile(source, options);
    } catch (thrown) {
      const at = { offset: 0, line: 1, column: 1 };
      return { faults: [{ code: 'expression.syntax', message: messageOf(thrown), cure: 'Correct it.', at }] };
    }
  };
}
