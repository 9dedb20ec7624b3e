import { int64, session, sessionWindowed, topic, topology, type Windowed } from '../../index.ts';
import { bidsOf, entry } from './naive.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { bidAvro, bids, PARTITIONS } from './topics.ts';

const GAP_MS = 10_000;
const out = topic('out', { key: sessionWindowed(int64()), value: int64(), partitions: PARTITIONS });

const keyOf = ({ key, start, end }: Windowed<number>) => `${key} ${start} ${end}`;

/** User sessions: how many bids each bidder makes before a pause of ten seconds. */
export const q11: Query<Windowed<number>, number> = {
  title: 'bids of each bidder in sessions',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q11');
    t.stream(bids)
      .groupBy(({ bidder }) => bidder, { name: 'by-bidder', key: int64(), value: bidAvro, partitions: PARTITIONS })
      .window(session({ gap: GAP_MS }))
      .count({ store: 'sessions' })
      .toStream()
      .to(out);
    return t.build();
  },
  results: lastOfEachKey(keyOf, (count, key) => `${keyOf(key)} ${count}`),
  *expected(events) {
    const times = new Map<number, number[]>();
    for (const { bidder, time } of bidsOf(events)) entry(times, bidder, () => [] as number[]).push(time);
    for (const [key, all] of times) {
      let [start] = all as [number];
      let end = start;
      let count = 0;
      for (const time of all) {
        if (time - end > GAP_MS) {
          yield `${keyOf({ key, start, end })} ${count}`;
          start = time;
          count = 0;
        }
        end = time;
        count++;
      }
      yield `${keyOf({ key, start, end })} ${count}`;
    }
  },
};
