import { bytes, int64, type Program, string, topic, topology } from '../../index.ts';

export const PARTITIONS = 4;
export const STORE = 'counts';

/** What is started again: a count per key, one changelog record for each key that was seen once. */
export interface Places {
  readonly application: string;
  readonly in: string;
  readonly out: string;
}

export const keys = string();

export function program({ application, ...places }: Places, onRecord: () => void): Program {
  const t = topology(application);
  t.stream(topic(places.in, { key: keys, value: bytes(), partitions: PARTITIONS }))
    .peek(onRecord)
    .groupByKey()
    .count({ store: STORE })
    .toStream()
    .to(topic(places.out, { key: keys, value: int64(), partitions: PARTITIONS }));
  return t.build();
}
