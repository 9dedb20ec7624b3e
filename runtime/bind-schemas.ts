import { changelogTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import {
  type CheckedEdge,
  checkEdge,
  type EdgeFault,
  KnownSchemas,
  type RegisteredFormat,
  type SchemaEdge,
  type SchemaRegistry,
  type Serde,
} from '../schemas/schemas.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { Plan, PlanStore } from '../topology/plan.ts';
import type { Program, Topic } from '../topology/topology.ts';

export interface BindParts {
  readonly registry: SchemaRegistry | undefined;
  readonly clock: Clock;
  readonly log?: Pick<Logger, 'warn'>;
}

export interface BoundProgram {
  readonly program: Program;
  /** The schemas of writers; `undefined` where the plan has no serde that a registry keeps. */
  readonly schemas: KnownSchemas | undefined;
}

/** Says of a serde that it has no id: nothing of it is written. */
const NO_ID = -1;

/**
 * Binds the serdes of a program whose schemas a registry keeps. Every topic and store that uses one is compared with
 * its subject first; one error names all that do not go together, and then nothing was registered. Processes and threads
 * of an application each do this; whoever is first registers.
 */
export async function bindProgram(program: Program, parts: BindParts): Promise<BoundProgram> {
  const uses = usesOf(program);
  if (uses.size === 0) return { program, schemas: undefined };
  const { registry, clock, log } = parts;
  if (registry === undefined) throw noRegistry(uses);
  const schemas = knownSchemas(registry, clock, log);
  const bound = await bindUses(registry, uses, schemas, log);
  const { plan, code } = program;
  const serde = (name: string) => bound.get(name) ?? code.serde(name);
  const stored = (store: PlanStore) => bound.get(store.value) ?? code.stored(store);
  return { program: Object.freeze({ plan, code: Object.freeze({ fn: code.fn, serde, stored }) }), schemas };
}

export interface BindTopicOptions {
  /** Also to write into it: its schemas are registered where they are not. Default false. */
  readonly write?: boolean;
}

/** A topic whose serdes can be used outside of a plan, to read it or to write into it. */
export async function bindTopic<K, V, N extends number>(
  topic: Topic<K, V, N>,
  engine: { readonly registry?: { readonly client: SchemaRegistry } | undefined; readonly clock: Clock },
  options: BindTopicOptions = {},
): Promise<Topic<K, V, N>> {
  const serdes = { key: topic.keySerde, value: topic.valueSerde };
  const { key, value } = await bindSerdes(topic.name, serdes, engine, options);
  return Object.freeze({ ...topic, keySerde: key, valueSerde: value });
}

/** The same for the serdes of a topic by its name. */
export async function bindSerdes<K, V>(
  topic: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
  engine: { readonly registry?: { readonly client: SchemaRegistry } | undefined; readonly clock: Clock },
  { write = false }: BindTopicOptions = {},
): Promise<{ readonly key: Serde<K>; readonly value: Serde<V> }> {
  const bind = async <T>(serde: Serde<T>, side: 'key' | 'value'): Promise<Serde<T>> => {
    const format = serde.registered as RegisteredFormat<unknown> | undefined;
    if (format === undefined) return serde;
    const edge = { topic, side, written: write, read: !write };
    const use = { format, edges: [edge] };
    const registry = engine.registry?.client;
    if (registry === undefined) throw noRegistry(new Map([[serde.name, use]]));
    const schemas = knownSchemas(registry, engine.clock);
    const [bound] = await bindUses(registry, new Map([[serde.name, use]]), schemas);
    return bound![1] as Serde<T>;
  };
  return { key: await bind(serdes.key, 'key'), value: await bind(serdes.value, 'value') };
}

/** What a start would refuse or warn of, where a registry is asked; registers nothing. */
export async function inspectSchemas(
  program: Program,
  registry: SchemaRegistry | undefined,
): Promise<readonly EdgeFault[]> {
  const uses = usesOf(program);
  if (uses.size === 0) return [];
  if (registry === undefined) return [{ severity: 'refuse', message: noRegistry(uses).message }];
  return [...(await checkUses(registry, uses)).values()].flat().flatMap((each) => each.faults);
}

async function checkUses(
  registry: SchemaRegistry,
  uses: ReadonlyMap<string, Use>,
): Promise<ReadonlyMap<string, readonly Checked[]>> {
  const checked = new Map<string, readonly Checked[]>();
  for (const [name, { format, edges }] of uses) {
    const all = edges.map(async (edge) => ({ edge, ...(await checkEdge(registry, format, edge)) }));
    checked.set(name, await Promise.all(all));
  }
  return checked;
}

/** Checks all uses, then registers and binds. */
async function bindUses(
  registry: SchemaRegistry,
  uses: ReadonlyMap<string, Use>,
  schemas: KnownSchemas,
  log?: BindParts['log'],
): Promise<ReadonlyMap<string, Serde<unknown>>> {
  const checked = await checkUses(registry, uses);
  const faults = [...checked.values()].flat().flatMap((each) => each.faults);
  refuse(faults.filter(({ severity }) => severity === 'refuse').map(({ message }) => message));
  for (const { message } of faults) log?.warn({}, message);
  const bound = new Map<string, Serde<unknown>>();
  for (const [name, { format }] of uses) {
    const id = (await registered(registry, format, checked.get(name)!)) ?? NO_ID;
    bound.set(name, format.bind(id, schemas));
    await learnVersions(registry, schemas, checked.get(name)!);
  }
  return bound;
}

type Checked = CheckedEdge & { readonly edge: SchemaEdge };

interface Use {
  readonly format: RegisteredFormat<unknown>;
  readonly edges: SchemaEdge[];
}

/** The serdes of a plan that a registry keeps, by name, with the topics and changelogs in which each lies. */
function usesOf({ plan, code }: Program): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  const note = (name: string, edge: SchemaEdge) => {
    const format = name === '' ? undefined : code.serde(name).registered;
    if (format === undefined) return;
    const use = uses.get(name) ?? { format, edges: [] };
    uses.set(name, use);
    use.edges.push(edge);
  };
  for (const edge of edgesOf(plan))
    for (const side of ['key', 'value'] as const) note(edge[side], { ...edge.at, side });
  return uses;
}

function edgesOf(plan: Plan) {
  const globals = plan.nodes.filter((node) => node.kind === 'globalTable');
  const written = plan.stages.flatMap(({ writes }) => writes);
  const read = [...plan.stages.flatMap(({ reads }) => reads), ...globals.map(({ topic }) => topic)];
  const topics = plan.topics.map(({ name, key, value }) => {
    const at = { topic: name, written: written.includes(name), read: read.includes(name) };
    return { key, value, at };
  });
  // a row of a global table is found by its key as it would be written
  const found = globals.map(({ topic, key }) => ({
    key: key ?? '',
    value: '',
    at: { topic, written: true, read: false },
  }));
  // rows of a store are written by one version of the application and read by the next
  const stores = plan.stores
    .filter(({ kind }) => kind !== 'global')
    .map(({ name, key, value }) => {
      const at = { topic: changelogTopic(plan.name, name), written: true, read: true };
      return { key, value, at };
    });
  return [...topics, ...found, ...stores];
}

function noRegistry(uses: ReadonlyMap<string, Use>): FlowError {
  const [[name, { edges }]] = [...uses] as [[string, Use]];
  const where = `the ${edges[0]!.side} of topic ${edges[0]!.topic} is ${name}`;
  const cure = 'set registry.url to that of one, or to `embedded` for one on the log itself';
  return new FlowError('registry.missing', `${where}, whose schema a registry keeps, and none is configured; ${cure}`);
}

function refuse(messages: readonly string[]): void {
  if (messages.length === 0) return;
  const all = `${messages.length} schemas do not go with their subjects:\n${messages.map((each) => `  ${each}`).join('\n')}`;
  throw new FlowError('registry.incompatible', messages.length === 1 ? messages[0]! : all);
}

function knownSchemas(registry: SchemaRegistry, clock: Clock, log?: BindParts['log']): KnownSchemas {
  return new KnownSchemas({
    registry,
    clock,
    onAway: (reason) => log?.warn({}, `records wait for a schema that is not known yet: ${reason}`),
    onBack: () => log?.warn({}, `the schema registry ${registry.name} answers again`),
  });
}

/** Registers the schema wherever it is written; answers its id, `undefined` where it has none and nothing is written. */
async function registered(
  registry: SchemaRegistry,
  format: RegisteredFormat<unknown>,
  checked: readonly Checked[],
): Promise<number | undefined> {
  let id: number | undefined;
  for (const { edge, subject, known } of checked) {
    const own = known?.id ?? (edge.written ? await registry.register(subject, format.schema) : undefined);
    id ??= own;
  }
  return id;
}

async function learnVersions(
  registry: SchemaRegistry,
  schemas: KnownSchemas,
  checked: readonly Checked[],
): Promise<void> {
  for (const { versions } of checked) {
    for (const { id, schema } of versions) schemas.learn(id, await registry.parsed(schema));
  }
}
