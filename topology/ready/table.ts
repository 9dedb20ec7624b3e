import { distinctCount } from './distinct-count.ts';
import { max } from './max.ts';
import { mean } from './mean.ts';
import { min } from './min.ts';
import { quantiles } from './quantiles.ts';
import { sum } from './sum.ts';
import { topK } from './top-k.ts';

/**
 * Every ready aggregate by the name of its call: what makes of its options those of `aggregate`. Each has a file, a test
 * and a document of its own.
 */
export const READY = { sum, min, max, mean, distinctCount, quantiles, topK } as const;
