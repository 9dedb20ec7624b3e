import type { Json } from '../core/ids.ts';
import type { NodeType } from './catalog.ts';
import type { Ports } from './document.ts';
import { FAULTS } from './faults.ts';

/** What people read about types of nodes and faults, made of the tables of the code. */

interface Field {
  readonly name: string;
  readonly takes: string;
  readonly needed: boolean;
}

/** A type, for terminals. */
export function nodeTypeLines(type: NodeType): readonly string[] {
  const fields = fieldsOf(type);
  const width = Math.max(0, ...fields.map(({ name }) => name.length));
  return [
    `${type.name}@${type.version}: ${type.title}`,
    '',
    type.description,
    '',
    `inputs   ${portWords(type.inputs)}`,
    `outputs  ${portWords(type.outputs)}, error (error)`,
    ...(fields.length === 0
      ? []
      : [
          '',
          'config',
          ...fields.map(({ name, takes, needed }) => `  ${name.padEnd(width)}  ${takes}${needed ? '; needed' : ''}`),
        ]),
    ...(type.policy === undefined ? [] : ['', `policy   ${JSON.stringify(type.policy)}`]),
    '',
    'example',
    ...indented(exampleText(type)),
    `input    ${JSON.stringify(type.example.input)}`,
    ...meanwhileOf(type).map((line) => `then     ${line}`),
    `output   ${JSON.stringify(type.example.output)}`,
  ];
}

/** docs/workflows/nodes.md */
export function nodeReference(types: readonly NodeType[]): string {
  const head = [
    '# Types of nodes',
    '',
    'Printed from the catalog by `npm run docs`; `nodeflow nodes TYPE` tells the same. Each example is executed by a test. In a configuration, a string that begins with `=` is an expression; fields marked as expressions are such without it. Every type has the output `error` besides: what leaves there is the failure of the node.',
    '',
    'type | what it does',
    '--- | ---',
    ...types.map(
      ({ name, description }) =>
        `[\`${name}\`](#${name.replace(/[^a-z0-9-]/g, '')}) | ${description.split(/[.;:] /, 1)[0]!.replace(/\.$/, '')}`,
    ),
  ];
  return `${[...head, ...types.flatMap(typeSection)].join('\n')}\n`;
}

/** docs/workflows/faults.md */
export function faultReference(): string {
  const rows = Object.entries(FAULTS).map(([code, what]) => `\`${code}\` | ${what}`);
  const head = [
    '# Faults of documents',
    '',
    'Printed from the code by `npm run docs`. Validation tells all faults of a document at once, each with its code, a JSON pointer to the place, a message and a cure.',
    '',
    'code | what it means',
    '--- | ---',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}

function typeSection(type: NodeType): readonly string[] {
  const fields = fieldsOf(type);
  return [
    '',
    `## ${type.name}`,
    '',
    type.description,
    '',
    `Inputs: ${portWords(type.inputs)}. Outputs: ${portWords(type.outputs)}.${type.policy === undefined ? '' : ` Policy where nothing else is said: \`${JSON.stringify(type.policy)}\`.`}`,
    ...(fields.length === 0
      ? []
      : [
          '',
          'config | takes',
          '--- | ---',
          ...fields.map(({ name, takes, needed }) => `\`${name}\`${needed ? ', needed' : ''} | ${takes}`),
        ]),
    '',
    '```json',
    ...exampleText(type),
    '```',
    '',
    `With the input \`${JSON.stringify(type.example.input)}\`${meanwhileOf(type)
      .map((line) => `, and then ${line},`)
      .join('')} it answers \`${JSON.stringify(type.example.output)}\`.`,
  ];
}

function fieldsOf(type: NodeType): readonly Field[] {
  const { properties = {}, required = [] } = (type.config ?? {}) as {
    readonly properties?: { readonly [name: string]: Json };
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    takes:
      takesOf(schema) +
      (type.expressions?.some(({ pointer }) => pointer.startsWith(`/${name}`)) ? '; an expression' : ''),
    needed: required.includes(name),
  }));
}

function takesOf(schema: Json): string {
  const {
    description,
    type,
    enum: values,
    items,
  } = (schema ?? {}) as {
    readonly description?: string;
    readonly type?: string | readonly string[];
    readonly enum?: readonly Json[];
    readonly items?: Json;
  };
  if (description !== undefined) return description;
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(', ');
  const words = [type ?? 'anything'].flat().join(' or ');
  const inner = (items ?? {}) as { readonly properties?: object };
  return inner.properties === undefined ? words : `${words} of { ${Object.keys(inner.properties).join(', ')} }`;
}

function portWords(ports: Ports): string {
  const words = Object.entries(ports).map(
    ([name, { kind, optional }]) => `${name} (${kind}${optional ? ', optional' : ''})`,
  );
  return words.length === 0 ? 'as the configuration says' : words.join(', ');
}

function meanwhileOf({ example }: NodeType): readonly string[] {
  return (example.meanwhile ?? []).map((step) =>
    'signal' in step
      ? `the signal ${step.signal} with ${JSON.stringify(step.payload)}`
      : `the answer ${step.approve} with ${JSON.stringify(step.value)}`,
  );
}

/** What of an example tells about the type: its nodes and edges. */
function exampleText({ example }: NodeType): readonly string[] {
  const { nodes, edges } = example.document as { readonly nodes: Json; readonly edges: readonly Json[] };
  const shown = edges.length === 0 ? { nodes } : { nodes, edges };
  return JSON.stringify(shown, null, 2).split('\n');
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
