import { avro, type FromAvro, json, string, topic } from '../index.ts';

/** The records of the benchmark: bids of about 100 bytes, in Avro or JSON, keyed by bidder. */
export const PARTITIONS = 2;
export const BIDDERS = 70_000;
export const AUCTIONS = 10_000;
/** Event time moves on by this for each record: 10-second windows of 10,000 records at 1 ms. */
export const STEP_MS = 1;
/** A bid below this passes the filter: about one in eight. */
export const PRICE_LIMIT = 1_250_000;

const bidSchema = {
  type: 'record',
  name: 'Bid',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'bidder', type: 'long' },
    { name: 'price', type: 'long' },
    { name: 'time', type: 'long' },
    { name: 'channel', type: 'string' },
    { name: 'url', type: 'string' },
  ],
} as const;
export const bidAvro = avro(bidSchema);
export const BID_SCHEMA = bidSchema;
export type Bid = FromAvro<typeof bidSchema>;

const priceSchema = {
  type: 'record',
  name: 'Price',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'euros', type: 'double' },
  ],
} as const;
export const priceAvro = avro(priceSchema);
export const PRICE_SCHEMA = priceSchema;

const auctionSchema = {
  type: 'record',
  name: 'Auction',
  fields: [
    { name: 'seller', type: 'long' },
    { name: 'category', type: 'int' },
  ],
} as const;
export const auctionAvro = avro(auctionSchema);
export const AUCTION_SCHEMA = auctionSchema;

const joinedSchema = {
  type: 'record',
  name: 'Joined',
  fields: [
    { name: 'price', type: 'long' },
    { name: 'category', type: 'int' },
  ],
} as const;
export const joinedAvro = avro(joinedSchema);
export const JOINED_SCHEMA = joinedSchema;

export const bidJson = json<Bid>({ fields: ['auction', 'bidder', 'price', 'time', 'channel', 'url'] });

/** The n-th bid: the same in every run. */
export function makeBid(n: number): Bid {
  let mixed = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed = (mixed ^ (mixed >>> 16)) >>> 0;
  return {
    auction: mixed % AUCTIONS,
    bidder: (mixed >>> 3) % BIDDERS,
    price: (mixed % 10_000) * 1000,
    time: (n + 1) * STEP_MS,
    channel: 'channel-' + (mixed % 10),
    url: 'https://www.nexmark.example/' + String(mixed).padStart(10, '0') + '/item.htm?query=1&channel=12',
  };
}

export function bidderKey(bid: Bid): string {
  return 'bidder' + bid.bidder;
}

export function auctionKey(bid: Bid): string {
  return 'auction' + bid.auction;
}

export const bids = topic('bids', { key: string(), value: bidAvro, partitions: PARTITIONS });
export const bidsByAuction = topic('bids-by-auction', { key: string(), value: bidAvro, partitions: PARTITIONS });
export const bidsJson = topic('bids-json', { key: string(), value: bidJson, partitions: PARTITIONS });
export const auctions = topic('auctions', { key: string(), value: auctionAvro, partitions: PARTITIONS });
