import { avro, type FromAvro, hopping, int64, topic, topology } from '../../index.ts';
import { bidsOf, entry } from './naive.ts';
import { closedAfter, lastOfEachKey, type Query } from './query.ts';
import { bids, PARTITIONS } from './topics.ts';

const WINDOW_MS = 10_000;
const ADVANCE_MS = 2000;

const countAvro = avro({
  type: 'record',
  name: 'Count',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'bids', type: 'long' },
  ],
});
const schema = {
  type: 'record',
  name: 'HotItems',
  fields: [
    { name: 'bids', type: 'long' },
    { name: 'auctions', type: { type: 'array', items: 'long' } },
  ],
} as const;
type HotItems = FromAvro<typeof schema>;
const hotAvro = avro(schema);
const out = topic('out', { key: int64(), value: hotAvro, partitions: PARTITIONS });

const none = (): HotItems => ({ bids: 0, auctions: [] });

function add(hot: HotItems, { auction, bids: count }: { readonly auction: number; readonly bids: number }): HotItems {
  if (count < hot.bids) return hot;
  return { bids: count, auctions: count === hot.bids ? [...hot.auctions, auction] : [auction] };
}

function show({ bids: count, auctions }: HotItems, start: number): string {
  return `${start} ${count} ${[...auctions].sort((a, b) => a - b).join(',')}`;
}

/** Hot items: which auctions had the most bids in the last ten seconds, each two seconds. */
export const q5: Query<number, HotItems> = {
  title: 'auctions with most bids, in hopping windows',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q5');
    t.stream(bids)
      .groupByKey()
      .window(hopping(WINDOW_MS, { advance: ADVANCE_MS }))
      .count({ store: 'bids' })
      .suppress()
      .toStream()
      .map((count, { key, start }) => [start, { auction: key, bids: count }])
      .repartition({ name: 'by-window', key: int64(), value: countAvro, partitions: PARTITIONS })
      .groupByKey()
      .aggregate({ store: 'hot', value: hotAvro, initial: none, add })
      .toStream()
      .to(out);
    return t.build();
  },
  results: lastOfEachKey(String, show),
  between: countAvro.schema,
  closed: closedAfter(WINDOW_MS),
  *expected(events) {
    const windows = new Map<number, Map<number, number>>();
    for (const { auction, time } of bidsOf(events)) {
      const first = Math.floor((time - WINDOW_MS) / ADVANCE_MS) * ADVANCE_MS + ADVANCE_MS;
      for (let start = first; start <= time; start += ADVANCE_MS) {
        const counts = entry(windows, start, () => new Map<number, number>());
        counts.set(auction, (counts.get(auction) ?? 0) + 1);
      }
    }
    for (const [start, counts] of windows) {
      let hot = none();
      for (const [auction, count] of counts) hot = add(hot, { auction, bids: count });
      yield show(hot, start);
    }
  },
};
