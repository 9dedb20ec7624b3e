import type { OpTable } from './op.ts';
import { OPS_BASIC } from './ops-basic.ts';

/** All that vectors may say, in the order asked: what a later table knows better stands before it. */
export const OPS: readonly OpTable[] = [OPS_BASIC];
