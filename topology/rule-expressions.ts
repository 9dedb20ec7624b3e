import { compileExpression } from '../expressions/expressions.ts';
import { isExpression, sourceOfExpression } from './expr.ts';
import { expressionRole, type TypeOfFormat } from './expression-roles.ts';
import { fault, type PlanFault } from './faults.ts';
import { codeOf } from './node-code.ts';
import type { Plan } from './plan.ts';

/** Every expression can be compiled for what it is given, and stands where one may. */
export function expressionFaults(plan: Plan, typeOf: TypeOfFormat): readonly PlanFault[] {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  return plan.nodes.flatMap((node) =>
    codeOf(node)
      .filter(({ ref }) => isExpression(ref))
      .flatMap(({ role, ref }) => {
        const source = sourceOfExpression(ref);
        const given = expressionRole(node, role, (id) => byId.get(id), typeOf);
        if (given === undefined) {
          const message = `${node.id} cannot have an expression as its ${role}; write a function`;
          return [fault('expression', node.id, message)];
        }
        const { faults = [] } = compileExpression(source, given);
        return faults.map(({ message, cure, at }) => {
          const where = `the expression ${JSON.stringify(source)} of ${node.id}, line ${at.line}, column ${at.column}`;
          return fault('expression', node.id, `${where}: ${message}; ${cure}`);
        });
      }),
  );
}
