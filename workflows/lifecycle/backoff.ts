import type { Millis } from '../../core/ids.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { Retry } from '../graph.ts';

/**
 * How long to wait before the next attempt. Chance comes from the ids alone, so that whoever decides the same step again
 * draws the same.
 */
export function backoff(retry: Retry, failures: number, seed: string): Millis {
  const { backoff: how, initialMs, maxMs, factor, jitter } = retry;
  if (how === 'none') return 0;
  const grown = how === 'fixed' ? initialMs : initialMs * factor ** Math.max(0, failures - 1);
  const whole = Math.min(maxMs, grown);
  if (jitter === 'none') return Math.round(whole);
  const drawn = seededRandom(seedOf(seed)).next();
  return Math.round(jitter === 'full' ? drawn * whole : whole / 2 + (drawn * whole) / 2);
}
