import { changelogTopic, type Guarantee, schemasTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { type ErrorCode, FlowError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { openRegistry } from '../registry/registry.ts';
import {
  isAvro,
  KnownSchemas,
  type RegisteredFormat,
  registered,
  type SchemaRegistry,
  type Serde,
  unreadable,
} from '../schemas/schemas.ts';
import type { Plan, PlanStore } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import { holdsRecords } from './each-record.ts';

export interface BindStoresParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly guarantee: Guarantee;
}

/**
 * Lets stores know with which Avro schemas their rows were written: the application keeps these in a registry of its own,
 * a topic beside its changelogs, and each row carries the id of its schema. A changed application reads older rows by
 * resolution; one that could not read them all is refused, and nothing was written. Stores whose rows are those of a
 * topic as they came, and those whose schema a registry keeps anyway, are left as they are.
 */
export async function bindStores(
  program: Program,
  { log, clock, random, guarantee }: BindStoresParts,
): Promise<Program> {
  const { plan, code } = program;
  const formats = new Map(
    plan.stores
      .filter((store) => isAvro(code.serde(store.value)) && !isTopic(plan, store))
      .map((store) => [store.name, registered(code.serde(store.value)).registered!]),
  );
  if (formats.size === 0) return program;
  const host = openRegistry({
    log,
    clock,
    random,
    topic: schemasTopic(plan.name),
    fenced: guarantee === 'exactly-once',
  });
  const registry = host.client();
  const schemas = new KnownSchemas({ registry, clock });
  try {
    for (const [store, format] of formats)
      await check(registry, schemas, { application: plan.name, store, format, log });
    const bound = new Map<string, Serde<unknown>>();
    for (const [store, format] of formats) {
      bound.set(store, format.bind(await registry.register(store, format.schema), schemas));
    }
    const stored = (store: PlanStore) => bound.get(store.name) ?? code.stored(store);
    return Object.freeze({ plan, code: Object.freeze({ fn: code.fn, serde: code.serde, stored }) });
  } finally {
    registry.close();
    await host.close();
  }
}

/** Its rows are the values of a topic, in the format of that. */
function isTopic(plan: Plan, store: PlanStore): boolean {
  const writer = plan.nodes.find(({ id }) => id === store.nodes[0]);
  if (writer === undefined || !('topic' in writer)) return false;
  return plan.topics.some(({ name, value }) => name === writer.topic && value === store.value);
}

interface Checked {
  readonly application: string;
  readonly store: string;
  readonly format: RegisteredFormat<unknown>;
  readonly log: Log;
}

async function check(
  registry: SchemaRegistry,
  schemas: KnownSchemas,
  { application, store, format, log }: Checked,
): Promise<void> {
  const refuse = (code: ErrorCode, words: string, cure: string): never => {
    const reset = `forget its rows: nodeflow reset ${application}`;
    throw new FlowError(
      code,
      `store ${store} of ${application} ${words}; ${cure}, give the store another name, or ${reset}`,
    );
  };
  const versions = await registry.versions(store);
  if (versions === undefined && (await holdsRecords(log, changelogTopic(application, store)))) {
    refuse('state.format', 'has rows of which no schema is known', 'go on with the version that wrote them');
  }
  for (const { id, version, schema } of versions ?? []) {
    const type = await registry.parsed(schema);
    const [fault] = unreadable(type, format.avro);
    if (fault !== undefined) {
      const words = `has rows of version ${version} of its schema that cannot be read any more: ${fault.message}`;
      refuse('state.schema', words, 'correct that field');
    }
    schemas.learn(id, type);
  }
}
