import type { NodeType } from './catalog.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { WorkflowDocument } from './document.ts';
import { failureOf, retryAfterOf } from './errors/classify.ts';
import { EXPRESSIONS } from './expressions.ts';
import type { Language } from './language.ts';
import { createLifecycle, HELD_AFTER } from './lifecycle/lifecycle.ts';
import { type BuiltInSettings, builtInTypes } from './nodes/built-in.ts';
import { DATA_PLANE_TYPES } from './nodes/data-plane-types.ts';
import { patchGraph } from './patch.ts';
import { validateDocument } from './validate.ts';

/** What documents may call, and where; see {@link BuiltInSettings}. */
export interface LanguageOptions extends BuiltInSettings {
  /** Types of nodes besides the built-in ones. */
  readonly types?: readonly NodeType[];
}

/** The language of workflow documents: the types of nodes there are, and how documents are judged, compiled and run. */
export function createLanguage({ types = [], ...own }: LanguageOptions = {}): Language {
  const catalog = createCatalog([...builtInTypes(own), ...DATA_PLANE_TYPES, ...types]);
  const settings = { catalog, expressions: EXPRESSIONS };
  const patch: Language['patch'] = (graph, ops) => patchGraph(graph, ops, settings);
  return {
    catalog,
    http: own.http ?? {},
    validate: (document) => validateDocument(document, settings),
    compile: (document) => compileDocument(document as unknown as WorkflowDocument, settings),
    patch,
    lifecycle: (runInline, heldAfter = HELD_AFTER) =>
      createLifecycle({ runInline, failure: failureOf, patch, heldAfter }),
    failure: failureOf,
    retryAfter: retryAfterOf,
  };
}
