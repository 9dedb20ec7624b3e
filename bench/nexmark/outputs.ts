import { int64, topic } from '../../index.ts';
import type { Bid } from './events.ts';
import { everyRecord } from './query.ts';
import { bidAvro, PARTITIONS } from './topics.ts';

/** Bids as they came. */
export const bidsOut = topic('out', { key: int64(), value: bidAvro, partitions: PARTITIONS });

export function showBid({ auction, bidder, price, channel, url, time, extra }: Bid): string {
  return [auction, bidder, price, channel, url, time, extra].join(' ');
}

export const everyBid = everyRecord<number, Bid>(showBid);
