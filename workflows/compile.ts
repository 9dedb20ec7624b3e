import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { Expression } from '../expressions/expressions.ts';
import { documentHash } from './canonical.ts';
import type { Catalog } from './catalog.ts';
import type { WorkflowDocument } from './document.ts';
import type { Graph, GraphEdge, GraphNode, Join, Template } from './graph.ts';
import { type Linked, type LinkedEdge, type LinkedNode, linkDocument } from './link.ts';
import { compiledPolicy } from './policy.ts';
import type { Expressions } from './scopes.ts';
import { edgeScope, joinScope, outputScope } from './scopes.ts';
import { withSegments } from './segments/collapse.ts';
import { compiledNodeSession, compiledSession } from './session-declaration.ts';
import { compileTemplate, type ExpressionCompiler, sourceOf } from './template.ts';
import { ERROR_PORT } from './wiring.ts';

export interface CompileSettings {
  readonly catalog: Catalog;
  readonly expressions: Expressions;
}

/**
 * The graph of a document that has no faults (`validate.ts`). Behind a graph, `previous`, it keeps the numbers of what was
 * there, and is the next revision.
 */
export function compileDocument(document: WorkflowDocument, settings: CompileSettings, previous?: Graph): Graph {
  const linked = linkDocument(document, settings);
  const numbers = numbersOf(
    linked.nodes.map(({ node }) => node.id),
    previous?.nodes.map(({ id }) => id),
  );
  const edgeNumbers = numbersOf(
    linked.edges.map(({ id }) => id),
    previous?.edges.map(({ id }) => id),
  );
  const work: Work = { linked, settings, numbers, edgeNumbers };
  const edges = placed(
    linked.edges.map((edge) => compiledEdge(edge, work)),
    previous?.edges,
    (edge) => ({ ...edge, removed: true }),
  );
  const nodes = placed(
    linked.nodes.map((node) => compiledNode(node, work)),
    previous?.nodes,
    gone,
  );
  return withSegments({
    document,
    hash: documentHash(document),
    revision: previous === undefined ? 0 : previous.revision + 1,
    nodes,
    edges,
    outputs: compiledOutputs(work),
    ...present('session', compiledSession(document, settings.expressions)),
    number: (id) => numbers.get(id),
  });
}

interface Work {
  readonly linked: Linked;
  readonly settings: CompileSettings;
  readonly numbers: ReadonlyMap<string, number>;
  readonly edgeNumbers: ReadonlyMap<string, number>;
}

/** Numbers of ids: those of before first, so that they never change. */
function numbersOf(ids: readonly string[], before: readonly string[] = []): ReadonlyMap<string, number> {
  const numbers = new Map(before.map((id, number) => [id, number]));
  for (const id of ids) if (!numbers.has(id)) numbers.set(id, numbers.size);
  return numbers;
}

/** What is there, each at its number, and what was removed in its place. */
function placed<T extends { readonly number: number }>(
  there: readonly T[],
  before: readonly T[] = [],
  removed: (one: T) => T,
): readonly T[] {
  const all = before.map(removed);
  for (const one of there) all[one.number] = one;
  return all;
}

function gone(node: GraphNode): GraphNode {
  return { ...node, removed: true, children: [], incoming: [], outgoing: [] };
}

function compiledNode(linked: LinkedNode, work: Work): GraphNode {
  const { node, type, policy } = linked;
  const number = (id: string | undefined) => (id === undefined ? -1 : (work.numbers.get(id) ?? -1));
  const config: Json = node.data?.config ?? {};
  const session = compiledNodeSession(
    node,
    () => work.linked.scope(linked),
    linked.ports.outputs,
    work.settings.expressions,
  );
  return {
    number: number(node.id),
    id: node.id,
    type,
    config,
    template: templateOf(config, linked, work),
    outputs: Object.keys(linked.ports.outputs).filter((port) => port !== ERROR_PORT),
    parent: number(node.parentId),
    children: linked.children.map((child) => number(child.node.id)),
    role: linked.role,
    incoming: linked.incoming.map((edge) => work.edgeNumbers.get(edge.id)!),
    outgoing: linked.outgoing.map((edge) => work.edgeNumbers.get(edge.id)!),
    join: compiledJoin(linked, work.settings.expressions.compile),
    ...compiledPolicy(policy),
    disabled: node.data?.disabled ?? false,
    removed: false,
    standIn: -1,
    compensation: number(node.data?.compensation),
    ...present('session', session),
  };
}

function present<Name extends string, T>(name: Name, value: T | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: T };
}

function templateOf(config: Json, linked: LinkedNode, { settings, linked: { scope } }: Work): Template {
  const fields = linked.type.expressions ?? [];
  const { template, faults } = compileTemplate(
    config,
    fields,
    scope(linked),
    settings.expressions.compile,
    linked.type.secrets,
  );
  if (faults.length > 0) throw unfit(`node ${linked.node.id}: ${faults[0]!.fault.message}`);
  return template;
}

function compiledJoin({ node, policy, incoming }: LinkedNode, compile: ExpressionCompiler): Join {
  const join = policy.join ?? 'all';
  if (typeof join === 'string') return { policy: join };
  if ('atLeast' in join) return { policy: 'atLeast', count: join.atLeast };
  const scope = joinScope(incoming.map(({ edge }) => edge.source));
  const { expression, faults } = compile(sourceOf(join.when), { scope, expect: 'bool' });
  if (expression === undefined) throw unfit(`the join of node ${node.id}: ${faults[0]!.message}`);
  return { policy: 'when', expression: overOutcomes(expression as Expression<boolean>) };
}

/** Whoever evaluates it gives the outcomes by id; as `nodes` they are there for ids that are no names. */
function overOutcomes(expression: Expression<boolean>): Expression<boolean> {
  return {
    ...expression,
    evaluate: (outcomes) => expression.evaluate({ nodes: outcomes, ...outcomes }),
    interpret: (outcomes) => expression.interpret({ nodes: outcomes, ...outcomes }),
  };
}

function compiledEdge(linked: LinkedEdge, { settings, linked: { document }, numbers, edgeNumbers }: Work): GraphEdge {
  const { edge, ends, id } = linked;
  const { compile, typeOf } = settings.expressions;
  const scope = edgeScope(document.inputs, linked.emits, typeOf);
  let when: Expression<boolean> | null = null;
  if (edge.data?.when !== undefined) {
    const { expression, faults } = compile(sourceOf(edge.data.when), { scope, expect: 'bool' });
    if (expression === undefined) throw unfit(`the edge ${id}: ${faults[0]!.message}`);
    when = expression as Expression<boolean>;
  }
  const map = edge.data?.map === undefined ? undefined : compileTemplate(edge.data.map, [], scope, compile);
  if (map !== undefined && map.faults.length > 0) throw unfit(`the edge ${id}: ${map.faults[0]!.fault.message}`);
  return {
    number: edgeNumbers.get(id)!,
    id,
    source: numbers.get(edge.source)!,
    sourcePort: ends.sourcePort ?? '',
    target: numbers.get(edge.target)!,
    targetPort: ends.targetPort ?? '',
    kind: ends.kind,
    when,
    map: map?.template ?? null,
    removed: false,
  };
}

function compiledOutputs({ linked: { document }, settings }: Work): Graph['outputs'] {
  if (document.outputs === undefined) return null;
  const { compile, typeOf } = settings.expressions;
  const scope = outputScope(document.inputs, typeOf);
  return Object.entries(document.outputs).map(([name, json]) => {
    const { template, faults } = compileTemplate(json, [], scope, compile);
    if (faults.length > 0) throw unfit(`the output ${name}: ${faults[0]!.fault.message}`);
    return { name, value: template };
  });
}

function unfit(why: string): FlowError {
  return new FlowError('workflow.invalid', `${why}; validate the document before it is compiled`);
}
