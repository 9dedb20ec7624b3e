import type { PlanFault } from './faults.ts';
import type { Plan } from './plan.ts';

export function validatePlan(plan: Plan): readonly PlanFault[] {
  void plan;
  return [];
}
