import { avro, type FromAvro, int64, topic, topology } from '../../index.ts';
import { bidsOf } from './naive.ts';
import { everyRecord, type Query } from './query.ts';
import { bids, PARTITIONS } from './topics.ts';

const EUROS_FOR_DOLLARS = 0.908;

const schema = {
  type: 'record',
  name: 'EuroBid',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'bidder', type: 'long' },
    { name: 'euros', type: 'double' },
    { name: 'time', type: 'long' },
  ],
} as const;
type EuroBid = FromAvro<typeof schema>;
const out = topic('out', { key: int64(), value: avro(schema), partitions: PARTITIONS });

const show = ({ auction, bidder, euros, time }: EuroBid) => `${auction} ${bidder} ${euros} ${time}`;

/** Currency conversion: each price in euros. */
export const q1: Query<number, EuroBid> = {
  title: 'prices in another currency',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q1');
    t.stream(bids)
      .mapValues(({ auction, bidder, price, time }) => ({ auction, bidder, euros: price * EUROS_FOR_DOLLARS, time }))
      .to(out);
    return t.build();
  },
  results: everyRecord(show),
  *expected(events) {
    for (const { price, ...rest } of bidsOf(events)) yield show({ ...rest, euros: price * EUROS_FOR_DOLLARS });
  },
};
