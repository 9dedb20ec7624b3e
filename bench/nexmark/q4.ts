import { avro, type FromAvro, int64, topic, topology } from '../../index.ts';
import { entry, winningBids } from './naive.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { auctions, bids, PARTITIONS } from './topics.ts';

const schema = {
  type: 'record',
  name: 'Prices',
  fields: [
    { name: 'auctions', type: 'long' },
    { name: 'sum', type: 'long' },
  ],
} as const;
type Prices = FromAvro<typeof schema>;
const pricesAvro = avro(schema);
const soldAvro = avro({
  type: 'record',
  name: 'Sold',
  fields: [
    { name: 'category', type: 'long' },
    { name: 'price', type: 'long' },
  ],
});
const out = topic('out', { key: int64(), value: pricesAvro, partitions: PARTITIONS });

const none = (): Prices => ({ auctions: 0, sum: 0 });
const show = ({ auctions: count, sum }: Prices, category: number) => `${category} ${sum / count}`;

function add(prices: Prices, { price }: { readonly price: number }): void {
  prices.auctions++;
  prices.sum += price;
}

function subtract(prices: Prices, { price }: { readonly price: number }): void {
  prices.auctions--;
  prices.sum -= price;
}

/** Average price for a category: the mean of what the auctions of each category went for. */
export const q4: Query<number, Prices> = {
  title: 'mean of the winning bids of each category',
  inputs: ['auctions', 'bids'],
  output: out,
  program() {
    const t = topology('q4');
    // the table first: of an auction and a bid of one millisecond it is the auction that is taken first
    const lots = t.table(auctions, { store: 'auctions' });
    t.stream(bids)
      .joinTable(lots, {
        merge: ({ price, time }, { category, time: opened, expires }) =>
          time >= opened && time <= expires ? { category, price } : null,
      })
      .filter((sold) => sold !== null)
      .groupByKey()
      .reduce({ store: 'winning', value: soldAvro, add: (best, sold) => (sold.price > best.price ? sold : best) })
      .groupBy((sold) => [sold.category, sold], {
        name: 'by-category',
        key: int64(),
        value: soldAvro,
        partitions: PARTITIONS,
      })
      .aggregate({ store: 'means', value: pricesAvro, initial: none, add, subtract })
      .toStream()
      .to(out);
    return t.build();
  },
  results: lastOfEachKey(String, show),
  *expected(events) {
    const categories = new Map<number, Prices>();
    for (const { auction, bid } of winningBids(events).values()) add(entry(categories, auction.category, none), bid);
    for (const [category, prices] of categories) yield show(prices, category);
  },
};
