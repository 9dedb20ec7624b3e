import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../../topology/plan.ts';
import type { ExpectedTopology, OutputRecord, StateRow } from './vector.ts';

/** A name that Kafka Streams gives where the user gives none; other engines give others. */
const COUNTED_NAME = /^[A-Z][A-Z-]*-\d{10}/;

/** Each thing in which the plan differs from what is expected of it, in words. */
export function compareTopology(plan: Plan, expected: ExpectedTopology | undefined): readonly string[] {
  if (expected === undefined) return [];
  const found: string[] = [];
  const { subtopologies, internalTopics, stores } = expected;
  if (subtopologies !== undefined && plan.stages.length !== subtopologies) {
    found.push(`expected ${subtopologies} subtopologies, found ${plan.stages.length}`);
  }
  const prefix = `nf.${plan.name}.`;
  const topics = plan.topics
    .filter((topic) => topic.internal)
    .map(({ name }) => name.slice(prefix.length).replace(/\.repartition$/, '-repartition'));
  found.push(...compareNames('internal topics', topics, internalTopics));
  // an inner join by foreign key has one more than there
  const kept = plan.stores.filter(({ kind }) => kind !== 'leavings');
  found.push(
    ...compareNames(
      'stores',
      kept.map((store) => store.name),
      stores,
    ),
  );
  return found;
}

/** Names that the user gave must be there; of others only the number counts. */
function compareNames(what: string, found: readonly string[], expected: readonly string[] | undefined): string[] {
  if (expected === undefined) return [];
  const given = expected.filter((name) => !COUNTED_NAME.test(name));
  const missing = given.filter((name) => !found.includes(name));
  if (missing.length === 0 && found.length === expected.length) return [];
  return [`expected the ${what} ${list(expected)}, found ${list(found)}`];
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.toSorted().join(', ');
}

/** The final rows of a store, in any order; a window is known by its start. */
export function compareState(store: string, expected: readonly StateRow[], found: readonly StateRow[]): string[] {
  const text = (rows: readonly StateRow[]) =>
    rows.map(({ k, win, v }) => JSON.stringify([k, win?.[0] ?? null, v])).toSorted();
  if (isDeepStrictEqual(text(expected), text(found))) return [];
  return [`store ${store}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`];
}

/** Whether the records are the same, in the same order or, for a set, in any. */
export function sameRecords(a: readonly OutputRecord[], b: readonly OutputRecord[], anyOrder: boolean): boolean {
  const [left, right] = [a.map(record), b.map(record)];
  return anyOrder ? isDeepStrictEqual(left.toSorted(), right.toSorted()) : isDeepStrictEqual(left, right);
}

function record({ k, win, v, ts, h }: OutputRecord): string {
  return JSON.stringify([k, win ?? null, v, ts, h ?? null]);
}
