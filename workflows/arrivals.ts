import type { ExprType, TypeOfSchema } from '../expressions/expressions.ts';
import type { EdgeSpec, JoinSpec } from './document.ts';
import { portType, type Surroundings } from './scopes.ts';
import type { EdgeEnds, NodePorts } from './wiring.ts';

/** An edge into a node, with what is known of where it comes from. */
export interface Arriving {
  readonly edge: EdgeSpec;
  readonly ends: EdgeEnds;
  readonly sourcePorts: NodePorts;
}

/** The types of what arrives at each port of a node: see `Template` in `graph.ts`. */
export function arrivals(
  edges: readonly Arriving[],
  ports: NodePorts,
  join: JoinSpec,
  start: ExprType,
  typeOf: TypeOfSchema,
): Surroundings['arrives'] {
  const arrives: { [port: string]: ExprType } = {};
  for (const [name, port] of Object.entries(ports.inputs)) {
    const leading = edges.filter(({ ends }) => ends.targetPort === name && ends.kind !== 'control');
    if (leading.length === 0) arrives[name] = name === 'in' && edges.length === 0 ? start : portType(port, typeOf);
    else if (leading.length === 1) arrives[name] = carried(leading[0]!, typeOf);
    else if (join === 'any') arrives[name] = 'dyn';
    else {
      const fields = Object.fromEntries(leading.map((one) => [one.edge.source, carried(one, typeOf)]));
      arrives[name] = { fields, optional: Object.keys(fields) };
    }
  }
  // whoever has no port of that name is still told what its only edge carries
  if (arrives['in'] === undefined && edges.length === 0) arrives['in'] = start;
  return arrives;
}

/** The type of what an edge carries. */
export function carried({ edge, ends, sourcePorts }: Arriving, typeOf: TypeOfSchema): ExprType {
  return edge.data?.map === undefined ? emitted(ends, sourcePorts, typeOf) : 'dyn';
}

/** The type of what leaves at the port that an edge comes from. */
export function emitted(ends: EdgeEnds, sourcePorts: NodePorts, typeOf: TypeOfSchema): ExprType {
  const port = ends.sourcePort === undefined ? undefined : sourcePorts.outputs[ends.sourcePort];
  return port === undefined ? 'dyn' : portType(port, typeOf);
}
