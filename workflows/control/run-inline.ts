import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { RunInline } from '../lifecycle/lifecycle.ts';
import { inlineContext } from './task-calls.ts';

/** Code of users within a step: what it throws is a failed attempt. */
export const runInline: RunInline = (node, config, inputs, { at, execution, iteration, attempt }) => {
  const { behaviour, name } = node.type;
  if (behaviour.kind !== 'inline') throw new FlowError('workflow.invalid', `${name} does not run within a step`);
  return behaviour.run(config as Json, inputs, inlineContext(at, execution, node.id, iteration, attempt));
};
