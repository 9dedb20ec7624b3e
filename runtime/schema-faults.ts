import { schemasTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { openRegistry } from '../registry/registry.ts';
import { isAvro, type RegisteredFormat, registered, unreadable } from '../schemas/schemas.ts';
import type { PlanDiff, Program, StoreChange } from '../topology/topology.ts';

type Format = RegisteredFormat<unknown>;

/** With which Avro schemas the rows of a store were written, and in words, whose each is. */
type Writers = (store: string) => readonly { readonly words: string; readonly avro: Format['avro'] }[];

/**
 * A plan tells a schema by its name alone. What two programs say of it is added here to what their plans do: a store
 * whose rows could not be read any more is refused.
 */
export function withSchemas(diff: PlanDiff, from: Program, to: Program): PlanDiff {
  return judged(diff, to, (store) => {
    const avro = formatOf(from, store)?.avro;
    return avro === undefined ? [] : [{ words: `of ${from.code.serde(valueFormat(from, store)!).name}`, avro }];
  });
}

/** The same by the schemas with which the log has rows; changes nothing. */
export async function withStoredSchemas(
  diff: PlanDiff,
  to: Program,
  { log, clock, random }: { readonly log: Log; readonly clock: Clock; readonly random: Random },
): Promise<PlanDiff> {
  const topic = schemasTopic(diff.to);
  if ((await log.admin.describe(topic)) === undefined) return diff;
  const host = openRegistry({ log, clock, random, topic, fenced: false });
  const registry = host.client();
  try {
    const found = new Map<string, { words: string; avro: Format['avro'] }[]>();
    for (const { was } of diff.stores) {
      if (was === null) continue;
      const versions = (await registry.versions(was)) ?? [];
      const parsed = versions.map(async ({ version, schema }) => ({
        words: `of version ${version} of its schema`,
        avro: await registry.parsed(schema),
      }));
      found.set(was, await Promise.all(parsed));
    }
    return judged(diff, to, (store) => found.get(store) ?? []);
  } finally {
    registry.close();
    await host.close();
  }
}

function judged(diff: PlanDiff, to: Program, writers: Writers): PlanDiff {
  const faults: PlanDiff['faults'][number][] = [];
  const stores = diff.stores.map((change): StoreChange => {
    const reader = change.was === null || change.how === 'refused' ? undefined : formatOf(to, change.store)?.avro;
    if (reader === undefined) return change;
    for (const { words, avro } of writers(change.was!)) {
      const [fault] = unreadable(avro, reader);
      if (fault === undefined) continue;
      faults.push({
        what: `store ${change.store}`,
        why: `it has rows ${words} that could not be read any more: ${fault.message}`,
        cure: `correct that field, give the store another name and let it begin empty, or forget all state: nodeflow reset ${diff.to} --all`,
      });
      return { ...change, how: 'refused' };
    }
    return change;
  });
  return { ...diff, stores, faults: [...diff.faults, ...faults] };
}

function valueFormat({ plan }: Program, name: string): string | undefined {
  return plan.stores.find((store) => store.name === name)?.value;
}

/** Of the values of a store, where they are Avro. */
function formatOf(program: Program, name: string): Format | undefined {
  const value = valueFormat(program, name);
  if (value === undefined || value === '') return undefined;
  const serde = program.code.serde(value);
  return serde.registered ?? (isAvro(serde) ? registered(serde).registered : undefined);
}
