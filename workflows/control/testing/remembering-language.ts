import type { NodeType } from '../../catalog.ts';
import { createLanguage } from '../../create-language.ts';
import type { Graph } from '../../graph.ts';
import type { Language } from '../../language.ts';

/** One that compiles each document once: what is compiled does not change. */
export function rememberingLanguage(types: readonly NodeType[]): Language {
  const language = createLanguage({ types });
  const graphs = new Map<string, Graph>();
  return {
    ...language,
    compile(document) {
      const text = JSON.stringify(document);
      const graph = graphs.get(text) ?? language.compile(document);
      graphs.set(text, graph);
      return graph;
    },
  };
}
