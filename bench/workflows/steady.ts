import { systemClock } from '../../core/clock.ts';

/**
 * Starts something at a steady rate, whether or not what was started before has ended. Answers the milliseconds of each
 * from when its start was due: a start that waits for its turn counts.
 */
export async function startSteadily(
  perSecond: number,
  seconds: number,
  one: (i: number) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const open: Promise<void>[] = [];
  const began = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const due = began + (i * 1000) / perSecond;
    const ahead = due - performance.now();
    if (ahead > 1) await systemClock.sleep(Math.floor(ahead));
    open.push(one(i).then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(open);
  return times;
}
