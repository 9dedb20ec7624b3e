import { FlowError } from '../core/errors.ts';
import type { Catalog, NodeType } from './catalog.ts';
import { schemaFault } from './json-schema.ts';

const NAME = /^[a-zA-Z0-9]+([./-][a-zA-Z0-9]+)*$/;

/** Types under their names; several versions of one may stand beside each other. Fails on what can be no type. */
export function createCatalog(types: readonly NodeType[]): Catalog {
  const byName = new Map<string, NodeType>();
  for (const type of types) {
    const why = typeFault(type);
    if (why !== undefined) throw new FlowError('workflow.node-type', `the node type ${type.name} ${why}`);
    const full = `${type.name}@${type.version}`;
    if (byName.has(full)) {
      throw new FlowError('workflow.node-type', `there are two node types ${full}: give one another name or version`);
    }
    byName.set(full, type);
    const newest = byName.get(type.name);
    if (newest === undefined || newest.version < type.version) byName.set(type.name, type);
  }
  return { types: [...types], find: (name) => byName.get(name) };
}

function typeFault(type: NodeType): string | undefined {
  if (!NAME.test(type.name) || type.name.length > 100) {
    return `has a name that is none: letters and digits, with . / - between them, such as my-company/score`;
  }
  if (!Number.isInteger(type.version) || type.version < 1 || type.version > 999_999) {
    return `has the version ${type.version}: it must be a whole number from 1 on`;
  }
  if (Object.hasOwn(type.outputs, 'error')) return 'has an output named error, which every node has: leave it out';
  const schema = schemaFault(type.config);
  return schema === undefined ? undefined : `has a configuration that is no JSON Schema: ${schema}`;
}
