import { avro, type FromAvro, string, topic, topology } from '../../index.ts';
import type { Bid } from './events.ts';
import { bidsOf, entry } from './naive.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { bidAvro, bids, PARTITIONS } from './topics.ts';

const DAY_MS = 86_400_000;
const MIDDLE = 10_000;
const HIGH = 1_000_000;

const schema = {
  type: 'record',
  name: 'AuctionDay',
  fields: [
    { name: 'bids', type: 'long' },
    { name: 'low', type: 'long' },
    { name: 'middle', type: 'long' },
    { name: 'high', type: 'long' },
    { name: 'min', type: 'long' },
    { name: 'max', type: 'long' },
    { name: 'sum', type: 'long' },
  ],
} as const;
type AuctionDay = FromAvro<typeof schema>;
const dayAvro = avro(schema);
const out = topic('out', { key: string(), value: dayAvro, partitions: PARTITIONS });

const dayKey = ({ auction, time }: Pick<Bid, 'auction' | 'time'>) => `${auction} ${Math.floor(time / DAY_MS)}`;

const none = (): AuctionDay => ({
  bids: 0,
  low: 0,
  middle: 0,
  high: 0,
  min: Number.MAX_SAFE_INTEGER,
  max: 0,
  sum: 0,
});

function add(day: AuctionDay, { price }: Pick<Bid, 'price'>): void {
  day.bids++;
  if (price < MIDDLE) day.low++;
  else if (price < HIGH) day.middle++;
  else day.high++;
  if (price < day.min) day.min = price;
  if (price > day.max) day.max = price;
  day.sum += price;
}

function show(day: AuctionDay, key: string): string {
  return [key, day.bids, day.low, day.middle, day.high, day.min, day.max, day.sum, day.sum / day.bids].join(' ');
}

/** Each auction's bids on each day: how many in three ranges of prices, least, greatest, mean and sum. */
export const q17: Query<string, AuctionDay> = {
  title: 'statistics of each auction and day',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q17');
    t.stream(bids)
      .groupBy(dayKey, { name: 'by-day', key: string(), value: bidAvro, partitions: PARTITIONS })
      .aggregate({ store: 'days', value: dayAvro, initial: none, add })
      .toStream()
      .to(out);
    return t.build();
  },
  results: lastOfEachKey((key) => key, show),
  *expected(events) {
    const days = new Map<string, AuctionDay>();
    for (const bid of bidsOf(events)) add(entry(days, dayKey(bid), none), bid);
    for (const [key, day] of days) yield show(day, key);
  },
};
