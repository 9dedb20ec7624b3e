import { changelogTopic, schemasTopic } from '../checkpoints/checkpoints.ts';
import { seededRandom } from '../core/random.ts';
import { openRegistry } from '../registry/registry.ts';
import type { PlanDiff } from '../topology/topology.ts';
import { copyRecords } from './copy-records.ts';
import type { EvolveParts } from './evolve.ts';

/**
 * Copies the changelog of every store that has another name now, and what is known of the schemas of its rows. Until
 * the new plan is stored, nobody writes there but a copy.
 */
export async function carryStores({ plan, log, clock }: EvolveParts, { stores }: PlanDiff): Promise<void> {
  const renamed = stores.filter(({ how }) => how === 'renamed');
  if (renamed.length === 0) return;
  for (const { store, was } of renamed) {
    const [from, to] = [changelogTopic(plan.name, was!), changelogTopic(plan.name, store)];
    const { settings } = (await log.admin.describe(to))!;
    for (let partition = 0; partition < settings.partitions; partition++) {
      await copyRecords(log, from, to, partition);
    }
  }
  const names = await log.admin.list();
  if (!names.includes(schemasTopic(plan.name))) return;
  const random = seededRandom(clock.now());
  const host = openRegistry({ log, clock, random, topic: schemasTopic(plan.name) });
  const registry = host.client();
  try {
    for (const { store, was } of renamed) {
      for (const { schema } of (await registry.versions(was!)) ?? []) await registry.register(store, schema);
    }
  } finally {
    registry.close();
    await host.close();
  }
}

/** Deletes what a copy that was cut short has left under the new names. */
export async function forgetCopies({ plan, log }: EvolveParts, { stores }: PlanDiff): Promise<void> {
  for (const { store, how } of stores) {
    const topic = changelogTopic(plan.name, store);
    if (how === 'renamed' && (await log.admin.describe(topic)) !== undefined) await log.admin.delete(topic);
  }
}
