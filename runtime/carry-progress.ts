import { progressTopic } from '../checkpoints/checkpoints.ts';
import type { Bytes } from '../core/bytes.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { Plan, Stage } from '../topology/plan.ts';
import type { PlanDiff } from '../topology/topology.ts';
import { eachRecord } from './each-record.ts';
import type { EvolveParts } from './evolve.ts';

/**
 * The numbers of a task (clocks, cursors, timers) lie in the progress of its stage, under the names of nodes and stores.
 * Where a stage or a store has another name, its numbers get that too: without its clock an operator would take for
 * new what it has closed long since. Written twice, they say the same.
 */
export async function carryProgress(
  { plan, log, renames = {} }: EvolveParts,
  from: Plan,
  diff: PlanDiff,
): Promise<void> {
  const names = new Map(
    diff.stores.flatMap(({ store, was, how }) => (how === 'renamed' ? [[was!, store] as const] : [])),
  );
  for (const stage of from.stages) {
    const targets = targetsOf(stage, plan, names, new Map(Object.entries(renames)));
    const isSame = targets.size === 0;
    if (isSame || (await log.admin.describe(progressTopic(plan.name, stage.id))) === undefined) continue;
    for (let partition = 0; partition < stage.partitions; partition++) {
      const rows = await latest(log, progressTopic(plan.name, stage.id), partition);
      for (const [target, renamed] of targets) {
        if (partition < target.partitions) await write(log, plan.name, target, partition, rows, renamed);
      }
    }
  }
}

/** New names of numbers by old ones; a number that is not to be written there has none. */
type Rename = (name: string) => string | undefined;

/** The stages that take over numbers under another name or from another stage. */
function targetsOf(
  stage: Stage,
  to: Plan,
  names: ReadonlyMap<string, string>,
  renames: ReadonlyMap<string, string>,
): ReadonlyMap<Stage, Rename> {
  const isKnown = (id: string) => to.nodes.some((node) => node.id === id);
  const nodes = new Map<string, string>();
  for (const id of stage.nodes) {
    const after = isKnown(id) ? id : renamedNode(id, renames);
    if (isKnown(after)) nodes.set(id, after);
  }
  const targets = new Map<Stage, Rename>();
  for (const target of to.stages) {
    const rename: Rename = (name) => {
      if (name.startsWith('store/')) {
        const store = name.slice('store/'.length);
        const after = names.get(store) ?? store;
        return target.stores.includes(after) ? `store/${after}` : undefined;
      }
      const slash = name.indexOf('/');
      if (slash < 0) return to.stages.some(({ id }) => id === stage.id) ? undefined : name;
      const after = nodes.get(name.slice(0, slash));
      return after !== undefined && target.nodes.includes(after) ? after + name.slice(slash) : undefined;
    };
    const takes = [...nodes.values()].some((id) => target.nodes.includes(id));
    const changes = target.id !== stage.id || [...names.values()].some((store) => target.stores.includes(store));
    if (takes && changes) targets.set(target, rename);
  }
  return targets;
}

/** The id of a node under a name that the user has changed, as the plan's builder gives it. */
function renamedNode(id: string, names: ReadonlyMap<string, string>): string {
  const colon = id.indexOf(':');
  const [kind, rest] = [id.slice(0, colon), id.slice(colon + 1)];
  for (const [before, after] of names) {
    if (rest === before || rest.startsWith(`${before}:`) || rest.startsWith(`${before}.`)) {
      return `${kind}:${after}${rest.slice(before.length)}`;
    }
  }
  return id;
}

/** The newest value of each number, in the form of a changelog. */
async function latest(log: Log, topic: string, partition: number): Promise<ReadonlyMap<string, Bytes>> {
  const rows = new Map<string, Bytes>();
  await eachRecord(log, topic, partition, ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }, i) => {
    const name = bytes.toString('utf8', keyStarts[i]!, keyEnds[i]!);
    if (valueStarts[i]! < 0) rows.delete(name);
    else rows.set(name, Buffer.from(bytes.subarray(valueStarts[i]!, valueEnds[i]!)));
  });
  return rows;
}

async function write(
  log: Log,
  application: string,
  target: Stage,
  partition: number,
  rows: ReadonlyMap<string, Bytes>,
  renamed: Rename,
): Promise<void> {
  const builder = new BatchBuilder(new Step());
  for (const [name, value] of rows) {
    const key = renamed(name);
    if (key === undefined) continue;
    const bytes = Buffer.from(key);
    builder.append(0, bytes, 0, bytes.length, value, 0, value.length);
  }
  if (builder.count === 0) return;
  const producer = await log.producer({});
  try {
    await producer.append(progressTopic(application, target.id), partition, builder.finish());
  } finally {
    await producer.close();
  }
}
