import type { Json } from '../core/ids.ts';
import type { Compiled, CompileOptions, Expression, ExpressionFault, ExprType } from '../expressions/expressions.ts';
import type { ExpressionField } from './catalog.ts';
import { NodeFailure } from './errors/node-failure.ts';
import type { Template } from './graph.ts';
import { isSecretReference } from './secret-reference.ts';

/** How expressions are compiled: {@link compileTemplate} works with any language that has this shape. */
export type ExpressionCompiler = (source: string, options: CompileOptions) => Compiled<unknown>;

export interface TemplateFault {
  /** From the top of the template. */
  readonly pointer: string;
  readonly fault: ExpressionFault;
}

export interface CompiledTemplate {
  readonly template: Template;
  readonly faults: readonly TemplateFault[];
}

type Part =
  | { readonly is: 'constant'; readonly value: Json }
  | { readonly is: 'expression'; readonly expression: Expression }
  | { readonly is: 'list'; readonly parts: readonly Part[] }
  | { readonly is: 'object'; readonly parts: readonly (readonly [string, Part])[] };

interface Field {
  readonly path: readonly string[];
  readonly expect: ExprType | undefined;
  readonly records: readonly string[] | undefined;
}

interface Work {
  readonly scope: CompileOptions['scope'];
  readonly fields: readonly Field[];
  readonly compile: ExpressionCompiler;
  readonly faults: TemplateFault[];
}

/**
 * Compiles JSON with expressions in it. `fields` are those that are expressions without a leading `=`. `keepsSecrets`:
 * who is given it fills in references to secrets, so that data must not be taken for one.
 */
export function compileTemplate(
  json: Json,
  fields: readonly ExpressionField[],
  scope: CompileOptions['scope'],
  compile: ExpressionCompiler,
  keepsSecrets = false,
): CompiledTemplate {
  const work: Work = {
    scope,
    fields: fields.map(({ pointer, expect, records }) => ({
      path: segmentsOf(pointer),
      expect: typeOf(expect),
      records,
    })),
    compile,
    faults: [],
  };
  const part = partOf(json, [], work);
  const constant = part.is === 'constant';
  const template: Template = {
    constant,
    fill: constant ? () => part.value : (scope) => fill(part, scope, keepsSecrets),
  };
  return { template, faults: work.faults };
}

/** Whether a text is an expression wherever it stands. */
export function isMarked(text: string): boolean {
  return text.startsWith('=') && !text.startsWith('==');
}

/** The source of an expression field, without the `=` that it may begin with. */
export function sourceOf(text: string): string {
  return isMarked(text) ? text.slice(1).trim() : text;
}

function partOf(json: Json, path: readonly string[], work: Work): Part {
  if (typeof json === 'string') return textPart(json, path, work);
  if (Array.isArray(json)) {
    const parts = json.map((item: Json, i) => partOf(item, [...path, String(i)], work));
    return parts.every((part) => part.is === 'constant')
      ? { is: 'constant', value: parts.map((part) => part.value) }
      : { is: 'list', parts };
  }
  if (typeof json !== 'object' || json === null) return { is: 'constant', value: json };
  const parts = Object.entries(json).map(([name, field]) => [name, partOf(field, [...path, name], work)] as const);
  if (!parts.every(([, part]) => part.is === 'constant')) return { is: 'object', parts };
  return { is: 'constant', value: Object.fromEntries(parts.map(([name, part]) => [name, constantOf(part)])) };
}

function textPart(text: string, path: readonly string[], work: Work): Part {
  const field = work.fields.find((one) => fits(one.path, path));
  if (field === undefined && !isMarked(text)) {
    return { is: 'constant', value: text.startsWith('==') ? text.slice(1) : text };
  }
  const scope = field?.records === undefined ? work.scope : recordScope(field.records);
  const options = field?.expect === undefined ? { scope } : { scope, expect: field.expect };
  const compiled = work.compile(sourceOf(text), options);
  if (compiled.expression === undefined) {
    const pointer = pointerOf(path);
    work.faults.push(...compiled.faults.map((fault) => ({ pointer, fault })));
    return { is: 'constant', value: null };
  }
  if (field?.records !== undefined) return { is: 'constant', value: sourceOf(text) };
  return { is: 'expression', expression: compiled.expression };
}

/** Of what flows nothing is known before the plan is made, which judges the expression again. */
function recordScope(names: readonly string[]): CompileOptions['scope'] {
  return Object.fromEntries(names.map((name) => [name, 'dyn' as const]));
}

function constantOf(part: Part): Json {
  return part.is === 'constant' ? part.value : null;
}

function fill(part: Part, scope: Readonly<Record<string, unknown>>, keepsSecrets: boolean): Json {
  switch (part.is) {
    case 'constant':
      return part.value;
    case 'expression': {
      const value = part.expression.evaluate(scope) as Json;
      if (keepsSecrets) refuseReferences(value);
      return value;
    }
    case 'list':
      return part.parts.map((item) => fill(item, scope, keepsSecrets));
    case 'object': {
      const filled: { [name: string]: Json } = {};
      for (const [name, field] of part.parts) filled[name] = fill(field, scope, keepsSecrets);
      if (keepsSecrets && isSecretReference(filled)) refuseReferences(filled);
      return filled;
    }
  }
}

/** Whoever starts an execution must not choose what is read of the secrets. */
function refuseReferences(value: Json): void {
  if (typeof value !== 'object' || value === null) return;
  if (isSecretReference(value)) {
    const message = 'an expression gives what names a secret; secrets are named in the document alone';
    throw new NodeFailure('PERMANENT', 'workflow.secret-in-data', message);
  }
  for (const field of Object.values(value)) refuseReferences(field as Json);
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length === path.length && pattern.every((name, i) => name === '*' || name === path[i]);
}

function typeOf(expect: ExpressionField['expect']): ExprType | undefined {
  return expect === 'list' ? { list: 'dyn' } : expect;
}

/** The names that a JSON pointer consists of. */
export function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A JSON pointer of names and places. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
