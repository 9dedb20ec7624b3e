import { judgeDerived } from './derived.ts';
import { judge, type Verdict } from './judge.ts';
import type { VectorFile } from './vector.ts';

export interface Report {
  readonly lines: readonly string[];
  /** Nothing has failed. */
  readonly ok: boolean;
}

type Kind = Verdict['kind'];
const KINDS: readonly Kind[] = ['passed', 'intended', 'failed', 'missing'];
const WORDS: { readonly [kind in Kind]: string } = {
  passed: 'passed',
  intended: 'intended difference',
  failed: 'failed',
  missing: 'no operator',
};

/** Runs all vectors of a file: a line for each that has not just passed, then the counts by area and of all. */
export async function report({ vectors, derived }: VectorFile): Promise<Report> {
  const lines: string[] = [];
  const areas = new Map<string, Map<Kind, number>>();
  const take = (id: string, area: string, verdict: Verdict) => {
    const counts = areas.get(area) ?? new Map<Kind, number>();
    areas.set(area, counts);
    counts.set(verdict.kind, (counts.get(verdict.kind) ?? 0) + 1);
    if (verdict.kind === 'passed') return;
    const what = verdict.kind === 'intended' ? verdict.differences.join(', ') : (verdict.fault ?? '');
    lines.push(`${WORDS[verdict.kind]}: ${id}: ${what}`);
  };
  for (const vector of vectors) take(vector.id, vector.area ?? 'vectors', await guarded(() => judge(vector)));
  for (const vector of derived) take(vector.id, `derived ${vector.area}`, await guarded(() => judgeDerived(vector)));
  const all = new Map<Kind, number>();
  for (const [area, counts] of areas) {
    lines.push(`${area}: ${countText(counts)}`);
    for (const [kind, count] of counts) all.set(kind, (all.get(kind) ?? 0) + count);
  }
  lines.push(`all: ${countText(all)}`);
  return { lines, ok: !all.has('failed') && !all.has('missing') };
}

/** A vector that the runner itself cannot run has failed; the others go on. */
async function guarded(run: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await run();
  } catch (thrown) {
    return { kind: 'failed', differences: [], fault: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function countText(counts: ReadonlyMap<Kind, number>): string {
  const shown = KINDS.filter((kind) => counts.has(kind) || kind === 'passed');
  return shown.map((kind) => `${counts.get(kind) ?? 0} ${WORDS[kind]}`).join(', ');
}
