import { topology } from '../../index.ts';
import type { Bid } from './events.ts';
import { bidsOf } from './naive.ts';
import { bidsOut, everyBid, showBid } from './outputs.ts';
import type { Query } from './query.ts';
import { bids } from './topics.ts';

/** Pass-through: each bid as it is. */
export const q0: Query<number, Bid> = {
  title: 'pass-through',
  inputs: ['bids'],
  output: bidsOut,
  program() {
    const t = topology('q0');
    t.stream(bids).to(bidsOut);
    return t.build();
  },
  results: everyBid,
  *expected(events) {
    for (const bid of bidsOf(events)) yield showBid(bid);
  },
};
