import { systemClock } from '../../core/clock.ts';
import { int64, topic, topology, tumbling, type Windowed, windowed } from '../../index.ts';
import { bidsOf, entry } from './naive.ts';
import type { Query } from './query.ts';
import { bidAvro, bids, PARTITIONS } from './topics.ts';

const WINDOW_MS = 10_000;
const out = topic('out', { key: windowed(int64(), WINDOW_MS), value: int64(), partitions: PARTITIONS });

/**
 * Bids of each bidder in windows of processing time. When a bid is processed is different in each run, so what is
 * compared is each bidder's sum over all windows.
 */
export const q12: Query<Windowed<number>, number> = {
  title: 'bids of each bidder in windows of processing time',
  inputs: ['bids'],
  output: out,
  program() {
    const t = topology('q12');
    t.stream(bids, { time: () => systemClock.now() })
      .groupBy(({ bidder }) => bidder, { name: 'by-bidder', key: int64(), value: bidAvro, partitions: PARTITIONS })
      .window(tumbling(WINDOW_MS))
      .count({ store: 'bids' })
      .toStream()
      .to(out);
    return t.build();
  },
  results(say) {
    const windows = new Map<number, Map<number, number>>();
    return {
      take(count, { key, start }) {
        entry(windows, key, () => new Map<number, number>()).set(start, count!);
      },
      end() {
        for (const [bidder, counts] of windows) say(`${bidder} ${[...counts.values()].reduce((a, b) => a + b)}`);
      },
    };
  },
  *expected(events) {
    const counts = new Map<number, { bids: number }>();
    for (const { bidder } of bidsOf(events)) entry(counts, bidder, () => ({ bids: 0 })).bids++;
    for (const [bidder, { bids: count }] of counts) yield `${bidder} ${count}`;
  },
};
