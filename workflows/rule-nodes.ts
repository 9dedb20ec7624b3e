import { nearest } from '../core/nearest.ts';
import { quoted } from './faults.ts';
import { schemaCheck } from './json-schema.ts';
import type { Judged, JudgedNode } from './judged.ts';
import { isReserved } from './read-json.ts';
import { isWithinChoice, wordsOf } from './schema-words.ts';

/** Ids are one node's each; types are there; configurations fit them. */
export function judgeNodes(judged: Judged): void {
  const { nodes, faults, find, catalog } = judged;
  const known = [...new Set(catalog.types.map(({ name }) => name))];
  for (const one of nodes) {
    const { index, node, type } = one;
    const path = ['nodes', index];
    if (isReserved(node.id)) {
      faults.add('workflow.prototype-name', [...path, 'id'], `no node may be called ${node.id}`, 'Choose another id.');
    }
    const first = find(node.id);
    if (first !== one) {
      const message = `two nodes have the id ${node.id}`;
      faults.add('workflow.duplicate-id', [...path, 'id'], message, 'Give one another id, and its edges with it.');
    }
    if (type !== undefined) judgeConfig(one, judged);
    else if (!faults.full) {
      const [name = '', version] = node.type.split('@');
      const versions = catalog.types.filter((each) => each.name === name).map((each) => each.version);
      const [near] = nearest(name, known);
      const cure =
        version !== undefined && versions.length > 0
          ? `There ${versions.length === 1 ? 'is version' : 'are the versions'} ${versions.join(', ')}.`
          : near !== undefined
            ? `Did you mean ${near}?`
            : 'See nodeflow nodes for those there are; types of your own are given to the engine.';
      const message = `${quoted(node.id)} has the type ${quoted(node.type)}, which is not known`;
      faults.add('workflow.unknown-type', [...path, 'type'], message, cure);
    }
  }
}

function judgeConfig({ index, node, type }: JudgedNode, { faults }: Judged): void {
  const config = node.data?.config ?? {};
  const path = ['nodes', index, 'data', 'config'];
  for (const error of schemaCheck(type!.config)(config)) {
    // what an expression answers is known when it runs
    if (isWithinChoice(error) || (typeof error.data === 'string' && /^=(?!=)/.test(error.data))) continue;
    const words = wordsOf(error);
    const within = words.unknownField ? words.path.slice(0, -1) : words.path;
    const place = ['config', ...within].join('.');
    faults.add(
      'workflow.config',
      [...path, ...words.path],
      `${quoted(place)} of node ${node.id} ${words.message}`,
      words.cure,
    );
  }
  try {
    for (const { code, field, message, cure } of type!.check?.(node) ?? []) {
      faults.addAt(code, `/nodes/${index}/data/config${field ?? ''}`, message, cure);
    }
  } catch (thrown) {
    const message = `${type!.name} cannot judge ${node.id}: ${String(thrown)}`;
    faults.add('workflow.node-type', ['nodes', index], message, 'Correct the code of the type.');
  }
}
