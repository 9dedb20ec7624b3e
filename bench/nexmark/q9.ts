import { topology } from '../../index.ts';
import type { Bid } from './events.ts';
import { winningBids } from './naive.ts';
import { bidsOut, showBid } from './outputs.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { auctions, bidAvro, bids } from './topics.ts';

/** Winning bids: the highest of each auction while it is open, of equal ones the first. */
export const q9: Query<number, Bid> = {
  title: 'winning bid of each auction',
  inputs: ['auctions', 'bids'],
  output: bidsOut,
  program() {
    const t = topology('q9');
    // the table first: of an auction and a bid of one millisecond it is the auction that is taken first
    const lots = t.table(auctions, { store: 'auctions' });
    t.stream(bids)
      .joinTable(lots, {
        merge: (bid, { time, expires }) => (bid.time >= time && bid.time <= expires ? bid : null),
      })
      .filter((bid) => bid !== null)
      .groupByKey()
      .reduce({ store: 'winning', value: bidAvro, add: (best, bid) => (bid.price > best.price ? bid : best) })
      .toStream()
      .to(bidsOut);
    return t.build();
  },
  results: lastOfEachKey(String, showBid),
  *expected(events) {
    for (const { bid } of winningBids(events).values()) yield showBid(bid);
  },
};
