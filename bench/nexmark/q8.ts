import { avro, type FromAvro, int64, topic, topology } from '../../index.ts';
import { auctionsOf, personsOf } from './naive.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { auctionAvro, auctions, PARTITIONS, persons } from './topics.ts';

const WINDOW_MS = 10_000;
const startOf = (time: number) => Math.floor(time / WINDOW_MS) * WINDOW_MS;

const schema = {
  type: 'record',
  name: 'NewSeller',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'start', type: 'long' },
  ],
} as const;
type NewSeller = FromAvro<typeof schema>;
const out = topic('out', { key: int64(), value: avro(schema), partitions: PARTITIONS });

const show = ({ name, start }: NewSeller, id: number) => `${id} ${name} ${start}`;

/** New users: who has registered and sold something within the same ten seconds. */
export const q8: Query<number, NewSeller> = {
  title: 'persons who sell within the window of their registration',
  inputs: ['persons', 'auctions'],
  output: out,
  program() {
    const t = topology('q8');
    const sellers = t
      .stream(auctions)
      .selectKey(({ seller }) => seller)
      .repartition({ name: 'by-seller', key: int64(), value: auctionAvro, partitions: PARTITIONS });
    t.stream(persons)
      .joinStream(sellers, {
        name: 'selling',
        within: { before: WINDOW_MS, after: WINDOW_MS, grace: 0 },
        merge: ({ name, time }, auction) =>
          startOf(time) === startOf(auction.time) ? { name, start: startOf(time) } : null,
      })
      .filter((seller) => seller !== null)
      .to(out);
    return t.build();
  },
  results: lastOfEachKey(String, show),
  *expected(events) {
    const all = [...events];
    const people = new Map([...personsOf(all)].map((person) => [person.id, person]));
    const told = new Set<number>();
    for (const { seller, time } of auctionsOf(all)) {
      const person = people.get(seller);
      if (person === undefined || startOf(person.time) !== startOf(time) || told.has(seller)) continue;
      told.add(seller);
      yield show({ name: person.name, start: startOf(time) }, seller);
    }
  },
};
