import type { TypeOfFormat } from './expression-roles.ts';
import { fault, type PlanFault } from './faults.ts';
import { PLAN_FORMAT, type Plan } from './plan.ts';
import { callFaults } from './rule-calls.ts';
import { cogroupFaults } from './rule-cogroup.ts';
import { duplicateFaults } from './rule-duplicates.ts';
import { expressionFaults } from './rule-expressions.ts';
import { foreignFaults } from './rule-foreign.ts';
import { historyFaults } from './rule-history.ts';
import { nameFaults } from './rule-names.ts';
import { partitioningFaults } from './rule-partitions.ts';
import { referenceFaults } from './rule-references.ts';
import { serdeFaults } from './rule-serdes.ts';
import { shapeFaults } from './rule-shapes.ts';
import { stageFaults } from './rule-stages.ts';
import { suppressFaults } from './rule-suppress.ts';
import { windowFaults } from './rule-windows.ts';

/**
 * Everything that keeps a plan from running, in one answer; empty for a good plan. Takes plans of any front end,
 * also ones that were stored and read again. What the topics of the log say is `checkTopics`. Expressions are checked
 * against the types of formats where those are given.
 */
export function validatePlan(plan: Plan, typeOf: TypeOfFormat = () => 'dyn'): readonly PlanFault[] {
  if (plan.format !== PLAN_FORMAT) {
    const message = `the plan has format ${plan.format}, this engine reads ${PLAN_FORMAT}; build it anew with this version`;
    return [fault('shape', null, message)];
  }
  return [
    ...nameFaults(plan),
    ...duplicateFaults(plan),
    ...referenceFaults(plan),
    ...shapeFaults(plan),
    ...serdeFaults(plan),
    ...partitioningFaults(plan),
    ...cogroupFaults(plan),
    ...windowFaults(plan),
    ...callFaults(plan),
    ...historyFaults(plan),
    ...suppressFaults(plan),
    ...foreignFaults(plan),
    ...expressionFaults(plan, typeOf),
    ...stageFaults(plan),
  ];
}
