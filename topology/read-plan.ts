import { FlowError } from '../core/errors.ts';
import { PLAN_FORMAT, type Plan } from './plan.ts';
import { validatePlan } from './validate.ts';

/** Takes a plan that was written as JSON, and judges it; `place` says where it is, for messages. */
export function readPlan(text: string, place: string): Plan {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (thrown) {
    const why = `${place} is no JSON: ${String(thrown)}; write it by nodeflow describe --format json`;
    throw new FlowError('file.broken', why, { cause: thrown });
  }
  const plan = asPlan(read, place);
  const [fault] = validatePlan(plan);
  if (fault !== undefined) throw new FlowError('plan.invalid', `${place}: ${fault.message}`);
  return plan;
}

/** The same of one that ran: it is not judged again, since an earlier version may have been content with less. */
export function asPlan(read: unknown, place: string): Plan {
  const plan = read as Partial<Plan> | null;
  if (typeof plan === 'object' && plan !== null && typeof plan.format === 'number' && plan.format !== PLAN_FORMAT) {
    throw new FlowError(
      'file.broken',
      `${place} is a plan of format ${plan.format}, this version reads ${PLAN_FORMAT}: use the version that wrote it or a newer one`,
    );
  }
  const parts = ['nodes', 'topics', 'stores', 'stages'] as const;
  const isPlan =
    typeof plan === 'object' &&
    plan !== null &&
    typeof plan.name === 'string' &&
    parts.every((part) => Array.isArray(plan[part]));
  if (isPlan) return plan as Plan;
  throw new FlowError('file.broken', `${place} is no plan; write it by nodeflow describe --format json`);
}
