import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import { builtOutput, edgesOf } from './builder-edges.ts';
import type {
  Handle,
  InputOf,
  InputPort,
  NodeOptions,
  Output,
  Rest,
  Source,
  Step,
  Undo,
  Wiring,
} from './builder-types.ts';
import type {
  EdgeSpec,
  NodeSpec,
  PolicySpec,
  PortSpec,
  SessionSpec,
  TriggerSpec,
  WorkflowDocument,
} from './document.ts';

export interface WorkflowOptions<Inputs> {
  readonly version: string;
  /** Default: the id. */
  readonly name?: string;
  readonly description?: string;
  readonly labels?: { readonly [name: string]: string };
  readonly mode?: 'realtime' | 'batch' | 'streaming';
  /** Topics of its own for what its nodes of the data plane keep, in every mode. */
  readonly dedicated?: boolean;
  readonly inputs?: Inputs;
  readonly policy?: PolicySpec;
  readonly triggers?: readonly TriggerSpec[];
  /** What executions of one user keep between them; see docs/workflows/sessions.md. */
  readonly session?: SessionSpec;
}

/** Writes a workflow document in TypeScript; see docs/workflows/documents.md. */
export function workflow<Inputs extends { readonly [name: string]: InputPort<unknown> } = Record<never, never>>(
  id: string,
  options: WorkflowOptions<Inputs>,
): WorkflowBuilder<InputOf<Inputs>> {
  return new WorkflowBuilder(id, options);
}

interface Draft {
  readonly nodes: NodeSpec[];
  readonly edges: EdgeSpec[];
  readonly undone: Set<string>;
}

/** What a node without edges begins with. */
type Started = Output<unknown, string, true>;
type Body<T> = (inside: Level) => Output<T>;

/** The nodes of one level: of the workflow, or within a container. */
export class Level {
  protected readonly draft: Draft;
  readonly #parent: string | undefined;

  constructor(draft: Draft, parent: string | undefined) {
    this.draft = draft;
    this.#parent = parent;
  }

  /** Adds a node. What it takes is wired by input port: `{ in: pay.out }`. */
  node<const Id extends string, Ins, Outs, Branches extends boolean, const W extends Wiring<Ins>>(
    id: Id,
    what: Step<Ins, Outs, Branches>,
    ...[wiring, options]: Rest<Ins, W>
  ): Handle<Id, Outs, W, Branches> {
    this.#add(id, what, (wiring ?? {}) as { readonly [port: string]: Source<unknown> }, options ?? {});
    return handleOf(id) as Handle<Id, Outs, W, Branches>;
  }

  /** Adds a node that runs only to undo another: given to that one as `undo`. */
  compensation(id: string, what: Step<never, unknown>): Undo {
    this.#add(id, what as Step<unknown, unknown>, {}, {});
    return { compensates: id };
  }

  /** Runs a body for each item of a list, given as an expression: gives the list of what the bodies give. */
  forEach<const Id extends string, T, S extends Source<unknown> = Started>(
    id: Id,
    options: {
      readonly items: string;
      readonly concurrency?: number;
      readonly onItemFailure?: 'fail' | 'null' | 'omit';
      readonly in?: S;
    } & NodeOptions,
    body: Body<T>,
  ): Handle<Id, { out: readonly T[] }, { readonly in: S }> {
    const { in: from, items, concurrency, onItemFailure, ...rest } = options;
    const config = {
      items,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(onItemFailure === undefined ? {} : { onItemFailure }),
    };
    return this.#container(id, { type: 'map', config }, { from, rest, parts: { body } }) as never;
  }

  /** Runs a body again and again while a condition holds: gives what the last one gave. */
  repeat<const Id extends string, T, S extends Source<unknown> = Started>(
    id: Id,
    options: { readonly while: string; readonly max: number; readonly in?: S } & NodeOptions,
    body: Body<T>,
  ): Handle<Id, { out: T }, { readonly in: S }> {
    const { in: from, while: condition, max, ...rest } = options;
    const config = { while: condition, max };
    return this.#container(id, { type: 'loop', config }, { from, rest, parts: { body } }) as never;
  }

  /** Runs a body; where it fails, `catch`; in the end `finally`. Gives what the body gave, or `catch`. */
  attempt<const Id extends string, T, C = never, S extends Source<unknown> = Started>(
    id: Id,
    parts: { readonly body: Body<T>; readonly catch?: Body<C>; readonly finally?: Body<unknown> },
    options: { readonly in?: S } & NodeOptions = {},
  ): Handle<Id, { out: T | C }, { readonly in: S }> {
    const { in: from, ...rest } = options;
    return this.#container(id, { type: 'try', config: {} }, { from, rest, parts }) as never;
  }

  #container(
    id: string,
    what: { readonly type: string; readonly config: { readonly [name: string]: Json } },
    more: {
      readonly from: Source<unknown> | undefined;
      readonly rest: NodeOptions;
      readonly parts: { readonly [part: string]: Body<unknown> | undefined };
    },
  ) {
    const at = this.draft.nodes.length;
    this.#add(id, what, more.from === undefined ? {} : { in: more.from }, more.rest);
    const config: { [name: string]: Json } = { ...what.config };
    for (const part of ['body', 'catch', 'finally']) {
      const write = more.parts[part];
      if (write === undefined) continue;
      const first = this.draft.nodes.length;
      const given = write(new Level(this.draft, id));
      const own = this.draft.nodes.slice(first).filter(({ parentId }) => parentId === id);
      if (part !== 'body') config[part] = own.map((node) => node.id);
      this.#checkLeaf(id, part, given, own);
    }
    const node = this.draft.nodes[at]!;
    this.draft.nodes[at] = { ...node, data: { ...node.data, config } };
    return handleOf(id);
  }

  /** What a container gives is what its last node gives: the body has to answer that one. */
  #checkLeaf(id: string, part: string, given: Output<unknown>, own: readonly NodeSpec[]): void {
    const { edges, undone } = this.draft;
    const leaves = own.filter((node) => !undone.has(node.id) && !edges.some(({ source }) => source === node.id));
    if (part === 'finally' || (leaves.length === 1 && leaves[0]!.id === given.node && given.port === 'out')) return;
    const names = leaves.map((node) => node.id).join(', ') || 'none';
    throw new FlowError(
      'workflow.invalid',
      `the ${part} of ${id} must end in one node, and answer its port out; now it ends in ${names} and answers ${given.node}.${given.port}`,
    );
  }

  #add(
    id: string,
    what: { readonly type: string; readonly config: { readonly [name: string]: Json } },
    wiring: { readonly [port: string]: Source<unknown> },
    options: NodeOptions,
  ): void {
    if (this.draft.nodes.some((node) => node.id === id)) {
      throw new FlowError('workflow.invalid', `there is a node ${id} already: give this one another id`);
    }
    const { edges, join } = edgesOf(id, wiring, options.after ?? [], this.#parent);
    const { label, position, disabled, undo, session } = options;
    const policy = join === undefined ? options.policy : { ...options.policy, join };
    if (undo !== undefined) this.draft.undone.add(undo.compensates);
    const data = {
      ...(label === undefined ? {} : { label }),
      ...(Object.keys(what.config).length === 0 ? {} : { config: what.config }),
      ...(policy === undefined ? {} : { policy }),
      ...(session === undefined ? {} : { session }),
      ...(undo === undefined ? {} : { compensation: undo.compensates }),
      ...(disabled === undefined ? {} : { disabled }),
    };
    this.draft.nodes.push({
      id,
      type: what.type,
      ...(this.#parent === undefined ? {} : { parentId: this.#parent }),
      ...(position === undefined ? {} : { position }),
      ...(Object.keys(data).length === 0 ? {} : { data }),
    });
    this.draft.edges.push(...edges);
  }
}

/** See {@link workflow}. */
export class WorkflowBuilder<In> extends Level {
  /** What an execution is started with: for a first node that takes just this. */
  readonly input: Output<In, '', true> = builtOutput('', 'out');
  readonly #id: string;
  readonly #options: WorkflowOptions<{ readonly [name: string]: InputPort<unknown> }>;
  readonly #outputs: { [name: string]: Json } = {};

  constructor(id: string, options: WorkflowOptions<{ readonly [name: string]: InputPort<unknown> }>) {
    super({ nodes: [], edges: [], undone: new Set() }, undefined);
    this.#id = id;
    this.#options = options;
  }

  /** What an execution answers under a name: what left a node, or JSON with expressions over `nodes` and `input`. */
  output(name: string, value: Output<unknown> | { readonly json: Json }): this {
    this.#outputs[name] = 'json' in value ? value.json : `= nodes["${value.node}"]["${value.port}"]`;
    return this;
  }

  /** The document as it stands: plain JSON. */
  document(): WorkflowDocument {
    const { version, name = this.#id, inputs, ...rest } = this.#options;
    const ports = Object.entries(inputs ?? {}).map(([port, spec]): [string, PortSpec] => [
      port,
      { kind: 'value', ...spec },
    ]);
    const outputs = Object.keys(this.#outputs).length === 0 ? {} : { outputs: { ...this.#outputs } };
    return structuredClone({
      apiVersion: 'nodeflow/v1' as const,
      id: this.#id,
      name,
      version,
      ...rest,
      ...(inputs === undefined ? {} : { inputs: Object.fromEntries(ports) }),
      ...outputs,
      nodes: this.draft.nodes,
      edges: this.draft.edges,
    });
  }
}

/** Ports by name, made when they are asked for: which there are the types say. */
function handleOf(id: string): object {
  return new Proxy({} as { readonly [port: string]: unknown }, {
    get: (_target, port) => (typeof port === 'string' && port !== 'then' ? builtOutput(id, port) : undefined),
  });
}
