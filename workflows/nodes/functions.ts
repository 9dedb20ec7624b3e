import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { nearest } from '../../core/nearest.ts';
import type { InlineContext, Inputs, NodeType, TaskContext } from '../catalog.ts';
import type { DocumentFault, NodeSpec } from '../document.ts';
import { exampleDocument, fields, TEMPLATE, TEXT, VALUE_IN, VALUE_OUT } from './example.ts';
import { type Secrets, withSecrets } from './secrets.ts';

/** Functions of a program, by the names that documents call them by. */
export interface Functions<F> {
  readonly [name: string]: F;
}

/** Pure and synchronous: the same argument gives the same result. It runs within the step. */
export type InlineFunction = (argument: Json, context: InlineContext) => Json;

/** May take its time, and may be called more than once for a node: `context.idempotencyKey` is equal then. */
export type TaskFunction = (argument: Json, context: TaskContext) => Promise<Json>;

interface CallConfig {
  readonly name: string;
  readonly argument?: Json;
}

const CONFIG = fields({ name: TEXT, argument: TEMPLATE }, ['name']);

/** Undefined functions: those of a program are not known, as on the command line. */
export function functionType(functions: Functions<InlineFunction> | undefined): NodeType {
  return {
    name: 'function',
    version: 1,
    title: 'Function',
    description:
      'Calls a function of the program by its name, within the step: for code that is pure and quick. Its argument is ' +
      '`argument`, or what arrived; what it throws is a failure.',
    inputs: VALUE_IN,
    outputs: VALUE_OUT,
    config: CONFIG,
    behaviour: {
      kind: 'inline',
      run: (config, inputs, context) => ({ out: called(functions, config)(argumentOf(config, inputs), context) }),
    },
    check: (node) => unknownFault(functions, node, 'functions'),
    example: {
      document: exampleDocument([
        { id: 'price', type: 'function', data: { config: { name: 'discount', argument: '= input.total' } } },
      ]),
      input: { total: 200 },
      output: { price: 180 },
    },
  };
}

export function taskType(tasks: Functions<TaskFunction> | undefined, secrets: Secrets): NodeType {
  return {
    name: 'task',
    version: 1,
    title: 'Task',
    description:
      'Calls a function of the program that takes time, beside the loop. It may run more than once: it is given a key ' +
      'that is equal for all attempts, a signal that aborts it, and a place for checkpoints. Failures that may pass are ' +
      'tried again five times.',
    inputs: VALUE_IN,
    outputs: VALUE_OUT,
    config: CONFIG,
    policy: { retry: { maxAttempts: 5 } },
    secrets: true,
    behaviour: {
      kind: 'task',
      run: async (config, inputs, context) => ({
        out: await called(tasks, config)(argumentOf(withSecrets(config, secrets), inputs), context),
      }),
    },
    check: (node) => unknownFault(tasks, node, 'tasks'),
    example: {
      document: exampleDocument([
        { id: 'pay', type: 'task', data: { config: { name: 'charge', argument: { amount: '= input.total' } } } },
      ]),
      input: { total: 12 },
      output: { pay: { charged: 12 } },
    },
  };
}

function argumentOf(config: Json, inputs: Inputs): Json {
  const { argument } = config as unknown as CallConfig;
  return argument === undefined ? (inputs['in'] ?? null) : argument;
}

function called<F>(functions: Functions<F> | undefined, config: Json): F {
  const { name } = config as unknown as CallConfig;
  if (functions !== undefined && Object.hasOwn(functions, name)) return functions[name]!;
  throw new FlowError(
    'workflow.unknown-function',
    `the program has no function ${name}: give it to the engine under this name`,
  );
}

function unknownFault<F>(
  functions: Functions<F> | undefined,
  node: NodeSpec,
  option: string,
): readonly Omit<DocumentFault, 'pointer'>[] {
  const name = node.data?.config?.['name'];
  if (functions === undefined || typeof name !== 'string' || name.startsWith('=')) return [];
  if (Object.hasOwn(functions, name)) return [];
  const [near] = nearest(name, Object.keys(functions));
  return [
    {
      code: 'workflow.unknown-function',
      message: `${node.id} calls ${name}, which the program does not have`,
      cure: near === undefined ? `Give it to the engine, in ${option}.` : `Did you mean ${near}?`,
    },
  ];
}
