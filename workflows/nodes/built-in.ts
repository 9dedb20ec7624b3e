import type { NodeType } from '../catalog.ts';
import { delay } from './delay.ts';
import { expression } from './expression.ts';
import { type Functions, functionType, type InlineFunction, type TaskFunction, taskType } from './functions.ts';
import type { HttpSettings } from './http-call.ts';
import { loop } from './loop.ts';
import { map } from './map.ts';
import { merge } from './merge.ts';
import type { Secrets } from './secrets.ts';
import { switchNode } from './switch.ts';
import { httpType } from './task-http.ts';
import { tryNode } from './try.ts';
import { waitHuman } from './wait-human.ts';
import { waitSignal } from './wait-signal.ts';
import { workflowNode } from './workflow.ts';

/** What the built-in types have of the program they run in. */
export interface BuiltInSettings {
  /** Undefined: not known, so that documents are judged without them. */
  readonly functions?: Functions<InlineFunction>;
  readonly tasks?: Functions<TaskFunction>;
  readonly http?: HttpSettings;
  /** What `{ "secret": "NAME" }` stands for in the configuration of tasks. Default: there are none. */
  readonly secrets?: Secrets;
}

/** The types of the control plane, in the order of the documentation. */
export function builtInTypes(settings: BuiltInSettings = {}): readonly NodeType[] {
  const { functions, tasks, http = {}, secrets = () => undefined } = settings;
  return [
    expression,
    functionType(functions),
    taskType(tasks, secrets),
    httpType(http, secrets),
    delay,
    waitSignal,
    waitHuman,
    switchNode,
    merge,
    map,
    loop,
    tryNode,
    workflowNode,
  ];
}
