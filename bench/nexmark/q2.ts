import { avro, type FromAvro, int64, topic, topology } from '../../index.ts';
import { bidsOf } from './naive.ts';
import { everyRecord, type Query } from './query.ts';
import { bids, PARTITIONS } from './topics.ts';

const EVERY = 123;

const schema = {
  type: 'record',
  name: 'Price',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'price', type: 'long' },
  ],
} as const;
type Price = FromAvro<typeof schema>;
const out = topic('out', { key: int64(), value: avro(schema), partitions: PARTITIONS });

const show = ({ auction, price }: Price) => `${auction} ${price}`;

/** Selection: bids on auctions of certain numbers. */
export const q2: Query<number, Price> = {
  title: 'bids on one auction in 123',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q2');
    t.stream(bids)
      .filter(({ auction }) => auction % EVERY === 0)
      .mapValues(({ auction, price }) => ({ auction, price }))
      .to(out);
    return t.build();
  },
  results: everyRecord(show),
  *expected(events) {
    for (const bid of bidsOf(events)) if (bid.auction % EVERY === 0) yield show(bid);
  },
};
