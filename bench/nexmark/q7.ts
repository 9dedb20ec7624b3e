import { int64, topic, topology, tumbling } from '../../index.ts';
import type { Bid } from './events.ts';
import { bidsOf } from './naive.ts';
import { showBid } from './outputs.ts';
import { closedAfter, lastOfEachKey, type Query } from './query.ts';
import { bidAvro, bids, PARTITIONS } from './topics.ts';

const WINDOW_MS = 10_000;
const out = topic('out', { key: int64(), value: bidAvro, partitions: PARTITIONS });

/** The higher of two bids; of equal ones that of the lower auction, then the earlier, then of the lower bidder. */
function higher(a: Bid, b: Bid): Bid {
  return (b.price - a.price || a.auction - b.auction || a.time - b.time || a.bidder - b.bidder) <= 0 ? a : b;
}

/** Highest bid: the bid with the highest price in each window of ten seconds. */
export const q7: Query<number, Bid> = {
  title: 'highest bid, in tumbling windows',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q7');
    t.stream(bids)
      .groupByKey()
      .window(tumbling(WINDOW_MS))
      .reduce({ store: 'highest-of-auction', value: bidAvro, add: higher })
      .suppress()
      .toStream()
      .groupBy((_bid, { start }) => start, { name: 'by-window', key: int64(), value: bidAvro, partitions: PARTITIONS })
      .reduce({ store: 'highest', value: bidAvro, add: higher })
      .toStream()
      .to(out);
    return t.build();
  },
  results: lastOfEachKey(String, (bid, start) => `${start} ${showBid(bid)}`),
  closed: closedAfter(WINDOW_MS),
  *expected(events) {
    const windows = new Map<number, Bid>();
    for (const bid of bidsOf(events)) {
      const start = Math.floor(bid.time / WINDOW_MS) * WINDOW_MS;
      const before = windows.get(start);
      windows.set(start, before === undefined ? bid : higher(before, bid));
    }
    for (const [start, bid] of windows) yield `${start} ${showBid(bid)}`;
  },
};
