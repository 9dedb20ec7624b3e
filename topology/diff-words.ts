import type { PlanDiff } from './diff-plans.ts';
import type { StoreChange } from './diff-stores.ts';

/** Records that lie in the log, counted by positions; what is not known is left out. */
export interface DiffCosts {
  /** Records of the changelog of a store, by the name that it had; of a new one, by its own. */
  readonly changelogs: ReadonlyMap<string, number>;
  /** Records of an internal topic that are not processed yet, by topic. */
  readonly waiting: ReadonlyMap<string, number>;
}

const UNKNOWN: DiffCosts = { changelogs: new Map(), waiting: new Map() };

const UNTIL = 'until: nodeflow plan orphans <file> --yes';

/** A diff in lines for people, what refuses it last. */
export function diffLines(diff: PlanDiff, costs: DiffCosts = UNKNOWN): readonly string[] {
  if (diff.equal) return ['the plans are the same: all state carries over'];
  const lines = diff.stores.map((change) => {
    const notes = change.notes.map((note) => `; ${note}`).join('');
    return `store ${change.store}: ${storeWords(change, costs)}${notes}`;
  });
  for (const { topic, how } of diff.topics) {
    if (how === 'kept') lines.push(`topic ${topic}: carries over, with the records on their way`);
    else if (how === 'added') lines.push(`topic ${topic}: new`);
    else lines.push(`topic ${topic}: no longer used${waiting(costs, topic)}; it stays ${UNTIL}`);
  }
  for (const { topic, how } of diff.inputs) {
    if (how === 'added') lines.push(`input ${topic}: new, read from its first record`);
    else lines.push(`input ${topic}: no longer read; its positions stay`);
  }
  if (lines.length === 0) lines.push('no state: nothing to carry over');
  return [...lines, ...faultLines(diff)];
}

/** Each fault with its cure. */
export function faultLines({ faults }: PlanDiff): readonly string[] {
  return faults.map(({ what, why, cure }) => `refused: ${what}: ${why}; ${cure}`);
}

function storeWords({ store, how, was }: StoreChange, { changelogs }: DiffCosts): string {
  const count = changelogs.get(was ?? store);
  const records = count === undefined ? '' : ` (${inRecords(count)})`;
  switch (how) {
    case 'kept':
      return 'carries over';
    case 'moved':
      return `carries over to another stage, rebuilt from its changelog${records}`;
    case 'renamed':
      return `renamed from ${was}, whose changelog is copied, and rebuilt from that${records}`;
    case 'added':
      if (count !== undefined && count > 0) return `new, takes up what an earlier plan left in its changelog${records}`;
      return 'new, begins empty: what was read already does not come again';
    case 'removed':
      return `no longer used; its changelog stays${records} ${UNTIL}`;
    case 'refused':
      return `does not fit${was === null ? '' : ` the rows of ${was}`}`;
  }
}

function waiting({ waiting }: DiffCosts, topic: string): string {
  const count = waiting.get(topic) ?? 0;
  return count === 0 ? '' : `, and ${inRecords(count)} that were on their way are lost to the application`;
}

function inRecords(count: number): string {
  return count === 1 ? '1 record' : `${count.toLocaleString('en-US')} records`;
}
