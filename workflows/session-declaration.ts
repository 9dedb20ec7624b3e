import { FlowError } from '../core/errors.ts';
import { type ExprType, isSchema, type TypeOfSchema } from '../expressions/expressions.ts';
import type { NodeSessionSpec, PortSpec, SessionSpec, WorkflowDocument } from './document.ts';
import { durationOf } from './duration.ts';
import type { GraphNode, GraphSession } from './graph.ts';
import { schemaCheck } from './json-schema.ts';
import { type Expressions, type ExprScope, inputType, portType } from './scopes.ts';
import { compileTemplate } from './template.ts';
import { ERROR_PORT } from './wiring.ts';

/** What a document and its nodes declare of a session, compiled. */

/** Of the expression that says whose it is. */
export function sessionIdScope({ inputs }: Pick<WorkflowDocument, 'inputs'>, typeOf: TypeOfSchema): ExprScope {
  return { input: inputType(inputs, typeOf), user: { nullable: 'string' } };
}

/** `session` of the expressions of a node: what it declares to read, and nothing else. Undefined: it has none. */
export function sessionType(
  spec: SessionSpec | undefined,
  node: NodeSessionSpec | undefined,
  typeOf: TypeOfSchema,
): ExprType | undefined {
  const { keys = {} } = spec ?? {};
  const read = (node?.read ?? []).filter((key) => Object.hasOwn(keys, key));
  if (read.length === 0) return undefined;
  const types = read.map((key) => {
    const schema = keys[key]?.schema;
    return [key, isSchema(schema) ? typeOf(schema) : 'dyn'] as const;
  });
  const optional = read.filter((key) => keys[key]?.default === undefined);
  return { fields: Object.fromEntries(types), optional };
}

/** Of what a node writes: what its configuration reads, and what it puts out, by port. */
export function writeScope(
  scope: ExprScope,
  outputs: { readonly [port: string]: PortSpec },
  typeOf: TypeOfSchema,
): ExprScope {
  const ports = Object.keys(outputs).filter((port) => port !== ERROR_PORT);
  const fields = Object.fromEntries(ports.map((port) => [port, portType(outputs[port]!, typeOf)]));
  return { ...scope, outputs: { fields, optional: ports.length === 1 ? [] : ports } };
}

export function compiledSession(
  document: WorkflowDocument,
  { compile, typeOf }: Expressions,
): GraphSession | undefined {
  const { session, id: workflow } = document;
  if (session === undefined) return undefined;
  const { name = workflow, id, ttl, keys } = session;
  const { template, faults } = compileTemplate(id, [], sessionIdScope(document, typeOf), compile);
  if (faults.length > 0) throw unfit('the id of the session', faults[0]!.fault.message);
  return {
    ...{ name, id: template, ttlMs: durationOf(ttl)! },
    keys: Object.entries(keys).map(([key, spec]) => ({
      ...{ name: key, default: spec.default },
      fault(value) {
        const [wrong] = spec.schema === undefined ? [] : schemaCheck(spec.schema)(value);
        return wrong === undefined ? undefined : `${wrong.instancePath} ${wrong.message ?? 'does not fit'}`.trim();
      },
    })),
  };
}

export function compiledNodeSession(
  node: { readonly id: string; readonly data?: { readonly session?: NodeSessionSpec } },
  scope: () => ExprScope,
  outputs: { readonly [port: string]: PortSpec },
  { compile, typeOf }: Expressions,
): GraphNode['session'] {
  const spec = node.data?.session;
  if (spec === undefined) return undefined;
  const inner = writeScope(scope(), outputs, typeOf);
  const writes = Object.entries(spec.write ?? {}).map(([key, json]) => {
    // what was read of the world must not name a secret for whoever reads the session
    const { template, faults } = compileTemplate(json, [], inner, compile, true);
    if (faults.length > 0) throw unfit(`what node ${node.id} writes`, faults[0]!.fault.message);
    return { key, template };
  });
  return { read: spec.read ?? [], writes };
}

function unfit(what: string, why: string): FlowError {
  return new FlowError('workflow.invalid', `${what}: ${why}; validate the document before it is compiled`);
}
