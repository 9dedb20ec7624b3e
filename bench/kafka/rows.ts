import { bytes, int64, type Program, string, topic, topology, tumbling, windowed } from '../../index.ts';
import { bidAvro, PRICE_LIMIT } from '../bids.ts';

export const PARTITIONS = 4;
const WINDOW_MS = 10_000;

export type Job = 'pass' | 'filter' | 'count';

/** The rows that are measured. */
export type RowName = 'pass' | 'forward' | 'filter' | 'count';

/** Where a row reads and writes; the application's name begins the names of all its topics. */
export interface Places {
  readonly application: string;
  readonly in: string;
  readonly out: string;
}

/** What the engine runs, and which figures of the peer's loader hold its results. */
export interface KafkaRow {
  readonly title: string;
  readonly job: Job;
  /** The ratio to reach. */
  readonly goal: number;
  program(places: Places): Program;
}

const raw = bytes();

export const KAFKA_ROWS: { readonly [name: string]: KafkaRow } = {
  pass: {
    title: 'pass-through, records packed anew',
    job: 'pass',
    goal: 3,
    program: ({ application, ...places }) => {
      const t = topology(application);
      const input = topic(places.in, { key: raw, value: bidAvro, partitions: PARTITIONS });
      const output = topic(places.out, { key: raw, value: bidAvro, partitions: PARTITIONS });
      // a node between the two keeps batches from being passed whole; it opens nothing of a record
      t.stream(input)
        .filter((bid) => bid !== null)
        .to(output);
      return t.build();
    },
  },
  forward: {
    title: 'pass-through as one writes it',
    job: 'pass',
    goal: 6,
    program: ({ application, ...places }) => {
      const t = topology(application);
      const input = topic(places.in, { key: raw, value: raw, partitions: PARTITIONS });
      t.stream(input).to(topic(places.out, { key: raw, value: raw, partitions: PARTITIONS }));
      return t.build();
    },
  },
  filter: {
    title: 'filter on one Avro field',
    job: 'filter',
    goal: 6,
    program: ({ application, ...places }) => {
      const t = topology(application);
      const input = topic(places.in, { key: raw, value: bidAvro, partitions: PARTITIONS });
      t.stream(input)
        .filter((bid) => bid.price < PRICE_LIMIT)
        .to(topic(places.out, { key: raw, value: bidAvro, partitions: PARTITIONS }));
      return t.build();
    },
  },
  count: {
    title: 'count per key in 10 s windows, 70,000 keys',
    job: 'count',
    goal: 6,
    program: ({ application, ...places }) => {
      const t = topology(application);
      const input = topic(places.in, { key: string(), value: raw, partitions: PARTITIONS });
      const output = topic(places.out, {
        key: windowed(string(), WINDOW_MS),
        value: int64(),
        partitions: PARTITIONS,
      });
      t.stream(input).groupByKey().window(tumbling(WINDOW_MS)).count({ store: 'counts' }).toStream().to(output);
      return t.build();
    },
  },
};
