import type { Json } from '../core/ids.ts';
import type { DocumentFault, PortSpec, WorkflowDocument } from './document.ts';
import { schemaCheck } from './json-schema.ts';
import { kindOf } from './schema-words.ts';

const CODE = 'workflow.input';

/**
 * What of the input of an execution does not fit the inputs that the document names. A document that names none takes
 * anything; fields that it does not name are let through.
 */
export function inputFaults({ inputs }: Pick<WorkflowDocument, 'inputs'>, input: Json): readonly DocumentFault[] {
  if (inputs === undefined) return [];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const cure = `Give an object with ${Object.keys(inputs).join(', ')}.`;
    return [{ code: CODE, pointer: '', message: `the input is an object, not ${kindOf(input)}`, cure }];
  }
  const given = input as { readonly [name: string]: Json };
  return Object.entries(inputs).flatMap(([name, port]) => portFaults(name, port, given));
}

function portFaults(name: string, port: PortSpec, given: { readonly [name: string]: Json }): readonly DocumentFault[] {
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  if (!Object.hasOwn(given, name)) {
    if (port.optional === true || port.default !== undefined) return [];
    return [{ code: CODE, pointer, message: `the input "${name}" is missing`, cure: 'Give it, or make it optional.' }];
  }
  const { schema } = port;
  if (typeof schema !== 'object' || schema === null) return [];
  return schemaCheck(schema)(given[name]).map(({ instancePath, message }) => ({
    code: CODE,
    pointer: `${pointer}${instancePath}`,
    message: `"${name}" ${message ?? 'does not fit its schema'}`,
    cure: 'Give what the schema of the document says.',
  }));
}
