import { int64, type Program, string, topic, topology, tumbling, windowed } from '../index.ts';
import {
  auctions,
  type Bid,
  bidAvro,
  bidJson,
  bids,
  bidsByAuction,
  bidsJson,
  joinedAvro,
  PARTITIONS,
  PRICE_LIMIT,
  priceAvro,
} from './bids.ts';

/** A row of the benchmark: what it reads, in order, and what the engine runs. */
export interface Row {
  readonly title: string;
  /** The ratio to reach. */
  readonly goal: number;
  readonly inputs: readonly string[];
  program(): Program;
}

const key = string();
const outBids = topic('out', { key, value: bidAvro, partitions: PARTITIONS });
const outJson = topic('out', { key, value: bidJson, partitions: PARTITIONS });
const outPrices = topic('out', { key, value: priceAvro, partitions: PARTITIONS });
const outJoined = topic('out', { key, value: joinedAvro, partitions: PARTITIONS });
const strangeBids = topic('strange-bids', { key, value: bidAvro, partitions: PARTITIONS });
const strangePrices = topic('strange-prices', { key, value: priceAvro, partitions: PARTITIONS });
const outCounts = topic('out', { key: windowed(key, 10_000), value: int64(), partitions: PARTITIONS });

export const ROWS: { readonly [name: string]: Row } = {
  a: {
    title: 'pass-through',
    goal: 8,
    inputs: ['bids'],
    program: () => build('row-a', (t) => t.stream(bids).to(outBids)),
  },
  b: {
    title: 'filter on one Avro field',
    goal: 8,
    inputs: ['bids'],
    program: () =>
      build('row-b', (t) =>
        t
          .stream(bids)
          .filter((bid) => bid.price < PRICE_LIMIT)
          .to(outBids),
      ),
  },
  c: {
    title: 'map of two Avro fields',
    goal: 4,
    inputs: ['bids'],
    program: () =>
      build('row-c', (t) =>
        t
          .stream(bids)
          .mapValues((bid) => ({ auction: bid.auction, euros: bid.price / 100 }))
          .to(outPrices),
      ),
  },
  d: {
    title: 'count per key in 10 s windows, 70,000 keys',
    goal: 5,
    inputs: ['bids'],
    program: () =>
      build('row-d', (t) =>
        t
          .stream(bids)
          .groupByKey()
          .window(tumbling({ seconds: 10 }))
          .count({ store: 'counts' })
          .toStream()
          .to(outCounts),
      ),
  },
  e: {
    title: 'stream-table join',
    goal: 4,
    inputs: ['auctions', 'bids-by-auction'],
    program: () =>
      build('row-e', (t) =>
        t
          .stream(bidsByAuction)
          .joinTable(t.table(auctions, { store: 'auctions' }), {
            merge: (bid: Bid, auction) => ({ price: bid.price, category: auction.category }),
          })
          .to(outJoined),
      ),
  },
  f: {
    title: 'JSON, two fields read',
    goal: 4,
    inputs: ['bids-json'],
    program: () =>
      build('row-f', (t) =>
        t
          .stream(bidsJson)
          .filter((bid) => bid.price < PRICE_LIMIT && bid.auction >= 0)
          .to(outJson),
      ),
  },
};

function build(name: string, define: (t: ReturnType<typeof topology>) => void): Program {
  const t = topology(name);
  define(t);
  return t.build();
}

/** Other topologies in the same process: their lambdas and operators are other ones. */
export function strangers(): readonly Program[] {
  return Array.from({ length: 10 }, (_, n) =>
    build(`stranger-${n}`, (t) => {
      const stream = t.stream(bids);
      if (n % 2 === 0) stream.filter((bid) => bid.auction % (n + 2) === 0).to(strangeBids);
      else stream.mapValues((bid) => ({ auction: bid.auction + n, euros: bid.price * n })).to(strangePrices);
    }),
  );
}
