import { isSchema } from '../expressions/expressions.ts';
import { schemaFault } from './json-schema.ts';
import type { Judged } from './judged.ts';
import { judgeSpans } from './rule-levels.ts';

export const MAX_NODES = 10_000;
export const MAX_EDGES = 50_000;

/** What is said of the document as a whole. */
export function judgeDocument(judged: Judged): void {
  const { sound, faults, find, nodes, edges } = judged;
  for (const [name, list, most] of [
    ['nodes', nodes, MAX_NODES],
    ['edges', edges, MAX_EDGES],
  ] as const) {
    if (list.length <= most) continue;
    const message = `there are ${list.length} ${name}, at most ${most} may be`;
    faults.add(
      'workflow.too-large',
      [name],
      message,
      'Split the workflow into several, joined by nodes of type workflow.',
    );
  }
  judgeSpans(sound.document.policy, ['policy'], faults);
  for (const { index, node } of nodes) judgeSpans(node.data?.policy, ['nodes', index, 'data', 'policy'], faults);
  for (const [name, port] of Object.entries(sound.document.inputs ?? {})) {
    const wrong = isSchema(port?.schema) ? schemaFault(port.schema) : undefined;
    if (wrong === undefined) continue;
    faults.add('workflow.schema', ['inputs', name, 'schema'], `it is no JSON Schema: ${wrong}`, 'Correct it.');
  }
  for (const id of Object.keys(sound.document.pins ?? {})) {
    if (find(id) === undefined) {
      faults.add('workflow.unknown-node', ['pins', id], `a pin names ${id}, which is not there`, 'Remove it.');
    }
  }
}
