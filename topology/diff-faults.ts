import { type Plan, type PlanNode, type PlanStore, STORE_FORMS, type Stage } from './plan.ts';

/** Why a plan cannot take over from another, and what helps. */
export interface DiffFault {
  /** `store counts`, `topic nf.shop.by-item.repartition`. */
  readonly what: string;
  readonly why: string;
  readonly cure: string;
}

export interface TwoPlans {
  readonly from: Plan;
  readonly to: Plan;
}

/** What keeps the rows of a store from being those of another by the new plan. */
export function storeFaults({ from, to }: TwoPlans, before: PlanStore, after: PlanStore): readonly DiffFault[] {
  const faults: DiffFault[] = [];
  const refuse = (why: string, back: string) =>
    faults.push({
      what: `store ${after.name}`,
      why,
      cure: `${back}, give the store another name and let it begin empty, or forget all state: nodeflow reset ${to.name} --all`,
    });
  if (before.kind !== after.kind) {
    refuse(
      `it was a ${before.kind} store and is to be a ${after.kind} one, whose rows lie otherwise`,
      'change it back',
    );
    return faults;
  }
  if (before.key !== after.key)
    refuse(`its keys were ${before.key} and are to be ${after.key}`, 'change the format back');
  if (before.value !== after.value && !isResolved(before.value, after.value)) {
    refuse(`its values were ${before.value} and are to be ${after.value}`, 'change the format back');
  }
  const tasks = stageOf(from, before)?.partitions;
  const wanted = stageOf(to, after)?.partitions;
  if (tasks !== wanted) {
    refuse(`its rows lie in ${tasks} partitions and are to lie in ${wanted}`, 'change the partition count back');
  }
  const [windows, wantedWindows] = [windowsOf(from, before), windowsOf(to, after)];
  if (windows !== wantedWindows) {
    refuse(`its windows were ${windows} and are to be ${wantedWindows}`, 'change the windows back');
  }
  const { paned } = STORE_FORMS[after.kind];
  if (paned && after.kind !== 'window' && before.retentionMs !== after.retentionMs) {
    const spans = `${before.retentionMs} ms and are to be kept for ${after.retentionMs} ms`;
    refuse(`its rows were kept for ${spans}, by which they are laid out`, 'change that back');
  }
  return faults;
}

/** Rows of an older Avro schema are read by resolution; whether they can be is judged against those that there are. */
export function isResolved(before: string, after: string): boolean {
  return isAvro(before) && isAvro(after);
}

function isAvro(format: string): boolean {
  return /^(registered\()?avro:/.test(format);
}

/** The topics of records on their way. */
export function topicFaults(from: Plan, to: Plan): readonly DiffFault[] {
  const faults: DiffFault[] = [];
  for (const topic of to.topics.filter(({ internal }) => internal)) {
    const before = from.topics.find(({ name, internal }) => internal && name === topic.name);
    if (before === undefined) continue;
    const refuse = (why: string, back: string) =>
      faults.push({
        what: `topic ${topic.name}`,
        why,
        cure: `${back}, or give the repartition another name`,
      });
    if (before.partitions !== topic.partitions) {
      const counts = `${before.partitions} partitions and is to have ${topic.partitions}`;
      refuse(`it has ${counts}`, 'change the partition count back');
    }
    for (const side of ['key', 'value'] as const) {
      if (before[side] === topic[side] || (side === 'value' && isRegistered(before.value, topic.value))) continue;
      refuse(`its ${side}s were ${before[side]} and are to be ${topic[side]}`, 'change the format back');
    }
  }
  for (const stage of to.stages) {
    const before = from.stages.find(({ id }) => id === stage.id);
    if (before === undefined || before.connector !== null || stage.connector !== null) continue;
    // a store of both is refused for the same reason
    if (before.partitions === stage.partitions || stage.stores.some((name) => before.stores.includes(name))) continue;
    faults.push({
      what: `stage ${stage.id}`,
      why: `it had ${before.partitions} tasks and is to have ${stage.partitions}, and each keeps its times by its number`,
      cure: `change the partition count back, or forget all state: nodeflow reset ${to.name} --all`,
    });
  }
  return faults;
}

/** Both carry the id of their schema with each value. */
function isRegistered(before: string, after: string): boolean {
  return before.startsWith('registered(avro:') && after.startsWith('registered(avro:');
}

/** The stage whose tasks keep a store. */
export function stageOf({ stages }: Plan, { name }: PlanStore): Stage | undefined {
  return stages.find(({ stores }) => stores.includes(name));
}

/** The node that writes a store. */
export function writerOf({ nodes }: Plan, store: PlanStore): PlanNode | undefined {
  return nodes.find(({ id }) => id === store.nodes[0]);
}

/** The times by which rows are laid out; how long is waited for late records is not part of that. */
function windowsOf(plan: Plan, store: PlanStore): string {
  const writer = writerOf(plan, store);
  if (writer?.kind === 'joinStreams') return `from ${writer.beforeMs} ms before to ${writer.afterMs} ms after`;
  if (writer?.kind !== 'aggregate' || writer.window === null) return 'none';
  // references to code begin with the id of the node, which changes with the name of the store
  const own = `${writer.id}/`;
  return JSON.stringify(writer.window, (field, value: unknown) => {
    if (field === 'graceMs') return undefined;
    return typeof value === 'string' && value.startsWith(own) ? value.slice(own.length) : value;
  });
}
