import { isDeepStrictEqual } from 'node:util';
import { Valve } from '../../runtime/valve.ts';
import type { Verdict } from './judge.ts';
import type { Derived } from './vector.ts';

interface Line {
  readonly wm?: readonly [channel: number, at: number];
  readonly idle?: number;
  readonly active?: number;
  readonly out?: readonly (number | string)[];
}

const CHANNELS = 2;

/** What a valve of watermarks lets through, and when it falls idle and wakes. */
export async function judgeWatermarkValve({ script = [] }: Derived): Promise<Verdict> {
  const kept = () => ({
    value: -1,
    set(value: number) {
      this.value = value;
    },
  });
  const out = kept();
  const valve = new Valve(Array.from({ length: CHANNELS }, kept), out);
  for (const [index, line] of (script as readonly Line[]).entries()) {
    const wasIdle = valve.allIdle;
    if (line.wm !== undefined) valve.time(...line.wm);
    if (line.idle !== undefined) valve.idle(line.idle);
    if (line.active !== undefined) valve.active(line.active);
    const found: (number | string)[] = valve.flow() ? [out.value] : [];
    if (valve.allIdle !== wasIdle) found.push(valve.allIdle ? 'IDLE' : 'ACTIVE');
    if (isDeepStrictEqual(found, line.out)) continue;
    const fault = `line ${index}: expected ${JSON.stringify(line.out)}, found ${JSON.stringify(found)}`;
    return { kind: 'failed', differences: [], fault };
  }
  return { kind: 'passed', differences: [] };
}
