import { avro, int64, topic } from '../../index.ts';

/** Where the events lie: each kind in a topic of its own, keyed by its id, bids by that of their auction. */
export const PARTITIONS = 2;

export const personAvro = avro({
  type: 'record',
  name: 'Person',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: 'string' },
    { name: 'email', type: 'string' },
    { name: 'creditCard', type: 'string' },
    { name: 'city', type: 'string' },
    { name: 'state', type: 'string' },
    { name: 'time', type: 'long' },
    { name: 'extra', type: 'string' },
  ],
});

export const auctionAvro = avro({
  type: 'record',
  name: 'Auction',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'item', type: 'string' },
    { name: 'description', type: 'string' },
    { name: 'initialBid', type: 'long' },
    { name: 'reserve', type: 'long' },
    { name: 'time', type: 'long' },
    { name: 'expires', type: 'long' },
    { name: 'seller', type: 'long' },
    { name: 'category', type: 'long' },
    { name: 'extra', type: 'string' },
  ],
});

export const bidAvro = avro({
  type: 'record',
  name: 'Bid',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'bidder', type: 'long' },
    { name: 'price', type: 'long' },
    { name: 'channel', type: 'string' },
    { name: 'url', type: 'string' },
    { name: 'time', type: 'long' },
    { name: 'extra', type: 'string' },
  ],
});

export const persons = topic('persons', { key: int64(), value: personAvro, partitions: PARTITIONS });
export const auctions = topic('auctions', { key: int64(), value: auctionAvro, partitions: PARTITIONS });
export const bids = topic('bids', { key: int64(), value: bidAvro, partitions: PARTITIONS });
