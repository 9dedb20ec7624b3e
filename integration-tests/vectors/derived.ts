import { judgeCommit } from './derived-commit.ts';
import { judgeCopartitioning } from './derived-copartitioning.ts';
import { judgeRestore } from './derived-restore.ts';
import { judgeTaskTime } from './derived-task-time.ts';
import { judgeWatermarkValve } from './derived-watermark-valve.ts';
import type { Verdict } from './judge.ts';
import type { Derived } from './vector.ts';

/** The parts of the engine against which the derived vectors of an area are held. */
const AREAS: { readonly [area: string]: (vector: Derived) => Promise<Verdict> } = {
  commit: judgeCommit,
  'co-partitioning': judgeCopartitioning,
  'flink-watermark-valve': judgeWatermarkValve,
  restore: judgeRestore,
  'task-time': judgeTaskTime,
};

export async function judgeDerived(vector: Derived): Promise<Verdict> {
  const judge = AREAS[vector.area];
  if (judge === undefined)
    return { kind: 'missing', differences: [], fault: `no part of the engine for ${vector.area}` };
  return judge(vector);
}
