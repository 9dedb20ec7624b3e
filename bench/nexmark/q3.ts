import { avro, type FromAvro, int64, topic, topology } from '../../index.ts';
import { auctionsOf, personsOf } from './naive.ts';
import { lastOfEachKey, type Query } from './query.ts';
import { auctions, PARTITIONS, persons } from './topics.ts';

const STATES: readonly string[] = ['OR', 'ID', 'CA'];
const CATEGORY = 10;

const schema = {
  type: 'record',
  name: 'LocalItem',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'city', type: 'string' },
    { name: 'state', type: 'string' },
    { name: 'auction', type: 'long' },
  ],
} as const;
type LocalItem = FromAvro<typeof schema>;
const out = topic('out', { key: int64(), value: avro(schema), partitions: PARTITIONS });

const show = ({ name, city, state, auction }: LocalItem) => `${name} ${city} ${state} ${auction}`;

/** Local items: who sells what of one category in some states. */
export const q3: Query<number, LocalItem> = {
  title: 'sellers of one category in three states',
  inputs: ['persons', 'auctions'],
  output: out,
  program() {
    const t = topology('q3');
    const sellers = t.table(persons, { store: 'persons' }).filter(({ state }) => STATES.includes(state));
    const items = t.table(auctions, { store: 'auctions' }).filter(({ category }) => category === CATEGORY);
    items
      .joinForeign(sellers, {
        name: 'with-seller',
        foreignKey: ({ seller }) => seller,
        merge: ({ id: auction }, { name, city, state }) => ({ name, city, state, auction }),
      })
      .toStream()
      .to(out);
    return t.build();
  },
  // A join of tables may answer one change twice, once for each side that has seen it.
  results: lastOfEachKey(String, show),
  *expected(events) {
    const all = [...events];
    const sellers = new Map([...personsOf(all)].map((person) => [person.id, person]));
    for (const { category, seller, id: auction } of auctionsOf(all)) {
      const person = sellers.get(seller);
      if (category === CATEGORY && person !== undefined && STATES.includes(person.state))
        yield show({ ...person, auction });
    }
  },
};
