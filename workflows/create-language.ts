import { isFlowError, messageOf } from '../core/errors.ts';
import type { FailureClass, FailureInfo } from '../events/events.ts';
import { compileExpression, typeOfJsonSchema } from '../expressions/expressions.ts';
import type { NodeType } from './catalog.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { WorkflowDocument } from './document.ts';
import type { Language } from './language.ts';
import { createLifecycle } from './lifecycle/lifecycle.ts';
import { builtInTypes } from './nodes/built-in.ts';
import type { Functions, InlineFunction, TaskFunction } from './nodes/functions.ts';
import { patchGraph } from './patch.ts';
import { validateDocument } from './validate.ts';

export interface LanguageOptions {
  /** What nodes of type `function` may name: pure, quick, run within a step. */
  readonly functions?: Functions<InlineFunction>;
  /** What nodes of type `task` may name: they take their time, and may run more than once. */
  readonly tasks?: Functions<TaskFunction>;
  /** Types of nodes besides the built-in ones. */
  readonly types?: readonly NodeType[];
}

/** The language of workflow documents: the types of nodes there are, and how documents are judged, compiled and run. */
export function createLanguage({ functions, tasks, types = [] }: LanguageOptions = {}): Language {
  const own = {
    ...(functions === undefined ? {} : { functions }),
    ...(tasks === undefined ? {} : { tasks }),
  };
  const catalog = createCatalog([...builtInTypes(own), ...types]);
  const settings = { catalog, expressions: { compile: compileExpression, typeOf: typeOfJsonSchema } };
  const patch: Language['patch'] = (graph, ops) => patchGraph(graph, ops, settings);
  return {
    catalog,
    validate: (document) => validateDocument(document, settings),
    compile: (document) => compileDocument(document as unknown as WorkflowDocument, settings),
    patch,
    lifecycle: (runInline) => createLifecycle({ runInline, failure: failureOf, patch }),
    failure: failureOf,
  };
}

const CLASSES: { readonly [kind: string]: FailureClass } = {
  transient: 'TRANSIENT',
  permanent: 'PERMANENT',
  system: 'SYSTEM',
  user: 'USER',
};

function failureOf(thrown: unknown, instance: string): FailureInfo {
  const message = messageOf(thrown);
  if (isFlowError(thrown)) return { class: CLASSES[thrown.kind]!, code: thrown.code, message, instance };
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return { class: 'PERMANENT', code: typeof code === 'string' ? code : 'thrown', message, instance };
}
