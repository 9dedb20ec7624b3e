import assert from 'node:assert/strict';
import { test } from 'node:test';
import { string } from '../schemas/schemas.ts';
import { type Stream, type Table, topic, topology, tumbling } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

/**
 * Rows that are looked up in a table whose updates are held back, as Kafka Streams 4.3.1 answered the same records:
 * what came out last while something is held, even while that comes out, and the row of the table before it else.
 */
const KEYED = { key: string(), value: string(), partitions: 1 } as const;
const LEFT = topic('l', KEYED);
const RIGHT = topic('r', KEYED);
const OUT = topic('out', KEYED);

const INPUT: readonly (readonly [topic: string, key: string, value: string | null, timestamp: number])[] = [
  ['l', 'a', '1', 0],
  ['r', 'a', 'x', 1],
  ['l', 'a', '2', 5],
  ['r', 'a', 'y', 6],
  ['l', 'z', 't', 20],
  ['r', 'a', 'w', 21],
  ['l', 'a', '3', 22],
  ['r', 'a', 'v', 23],
  ['l', 'a', null, 24],
  ['r', 'a', 'u', 25],
  ['l', 'z', 't', 40],
  ['r', 'a', 's', 41],
  ['l', 'a', '4', 42],
  ['r', 'a', 'q', 43],
  ['l', 'z', 't', 60],
  ['r', 'a', null, 61],
];
const data = INPUT.map(([name, key, value, timestamp]): Datum => ({ topic: name, key, value, timestamp }));

type Rows = Table<string, string, 1>;
type Values = Stream<string, string, 1>;

const merge = (a: string | null, b: string | null) => `${a}+${b}`;
const by = { merge } as { readonly merge: (a: unknown, b: unknown) => string };
const held = (rows: Rows, ms = 10, store = 'held'): Rows => rows.suppress({ untilTimeLimit: ms, store });

/** A table of each topic, and the right topic as a stream. */
type Build = (left: Rows, right: () => Rows, stream: () => Values) => Rows | Values;

function programOf(build: Build): TestProgram {
  const app = topology('looks');
  const tableOf = (of: typeof LEFT) => app.table(of, { store: `${of.name}-rows` });
  const built = build(
    tableOf(LEFT),
    () => tableOf(RIGHT),
    () => app.stream(RIGHT),
  );
  const stream = 'toStream' in built ? built.toStream() : built;
  (stream as Values).to(OUT);
  return testProgram(app.build());
}

const CASES: { readonly [name: string]: readonly [build: Build, ...out: readonly string[]] } = {
  'inner join of a held table with a table': [
    (left, right) => held(left).joinTable(right(), by),
    'a 2+y 6',
    'a 2+w 21',
    'a 2+v 23',
    'a 2+u 25',
    'a null 25',
    'a 4+q 43',
    'a null 61',
  ],
  'inner join of a table with a held one': [
    (left, right) => right().joinTable(held(left), by),
    'a y+2 6',
    'a w+2 21',
    'a v+2 23',
    'a u+2 25',
    'a null 25',
    'a q+4 43',
    'a null 61',
  ],
  'left join of a held table with a table': [
    (left, right) => held(left).leftJoinTable(right(), by),
    'a 2+y 6',
    'a 2+w 21',
    'a 2+v 23',
    'a 2+u 25',
    'z t+null 40',
    'a null 25',
    'a 4+q 43',
    'a 4+null 61',
  ],
  'left join of a table with a held one': [
    (left, right) => right().leftJoinTable(held(left), by),
    'a x+null 1',
    'a y+null 6',
    'a y+2 6',
    'a w+2 21',
    'a v+2 23',
    'a u+2 25',
    'a u+null 25',
    'a s+null 41',
    'a q+null 43',
    'a q+4 43',
    'a null 61',
  ],
  'outer join of a held table with a table': [
    (left, right) => held(left).outerJoinTable(right(), by),
    'a null+x 1',
    'a null+y 6',
    'a 2+y 6',
    'a 2+w 21',
    'a 2+v 23',
    'a 2+u 25',
    'z t+null 40',
    'a null+u 25',
    'a null+s 41',
    'a null+q 43',
    'a 4+q 43',
    'a 4+null 61',
  ],
  'outer join of a table with a held one': [
    (left, right) => right().outerJoinTable(held(left), by),
    'a x+null 1',
    'a y+null 6',
    'a y+2 6',
    'a w+2 21',
    'a v+2 23',
    'a u+2 25',
    'z null+t 40',
    'a u+null 25',
    'a s+null 41',
    'a q+null 43',
    'a q+4 43',
    'a null+4 61',
  ],
  'inner join of a stream with a held table': [
    (left, _, right) => right().joinTable(held(left), by),
    'a w+2 21',
    'a v+2 23',
    'a u+2 25',
  ],
  'left join of a stream with a held table': [
    (left, _, right) => right().leftJoinTable(held(left), by),
    'a x+null 1',
    'a y+null 6',
    'a w+2 21',
    'a v+2 23',
    'a u+2 25',
    'a s+null 41',
    'a q+null 43',
  ],
  'join with what is made row by row of a held table': [
    (left, _, right) =>
      right().leftJoinTable(
        held(left)
          .mapValues((v) => `${v}!`)
          .filter((v) => v !== '2!'),
        by,
      ),
    'a x+null 1',
    'a y+null 6',
    'a w+null 21',
    'a v+null 23',
    'a u+null 25',
    'a s+null 41',
    'a q+null 43',
  ],
  'join of two held tables': [
    (left, right) => held(left).outerJoinTable(held(right(), 5, 'calm'), by),
    'a null+y 6',
    'a 2+y 6',
    'z t+null 40',
    'a null+y 24',
    'a null+s 41',
    'a 4+s 42',
    'a 4+null 61',
  ],
  'join of a held table with what is made of it': [
    (left) => {
      const calm = held(left);
      return calm.joinTable(
        calm.mapValues((v) => `${v}!`),
        by,
      );
    },
    'a null 24',
    'a null 24',
  ],
};

for (const [name, [build, ...out]] of Object.entries(CASES)) {
  test(name, () => {
    const program = programOf(build);
    const task = new TestTask(program);
    task.feed(...data);
    assert.deepEqual(
      task.written.items.map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`),
      out,
    );
    for (let seed = 1; seed <= 20; seed++) {
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(runPlainly(program, data)));
    }
  });
}

/** Final rows of the windows of two topics, joined; what the clock of one closes may come before or behind the other. */
function finalsJoined(grace: number, retention?: number): readonly string[] {
  const app = topology('finals');
  const kept = retention === undefined ? {} : { retention };
  const [left, right] = [LEFT, RIGHT].map((of) => {
    const windows = app.stream(of).groupByKey().window(tumbling(10, { grace }));
    const rows = windows.reduce({ store: `${of.name}-rows`, value: string(), add: (all, next) => all + next, ...kept });
    return rows.suppress({ untilWindowCloses: true, store: `${of.name}-finals` });
  });
  left!
    .joinTable(right!, { merge: (a, b) => `${a}+${b}`, name: 'both' })
    .toStream()
    .map((value, { key, start }) => [key, `${start}: ${value}`])
    .to(OUT);
  const task = new TestTask(testProgram(app.build()));
  const times = [1, 2, 11, 12, 23, 24, 37];
  task.feed(
    ...times.flatMap((at) => ['l', 'r'].map((name) => ({ topic: name, key: 'a', value: name, timestamp: at }))),
  );
  return task.written.items.map(({ value }) => value as string);
}

test('final rows meet while they are kept: until a window lies ahead by size and grace, or by the retention', () => {
  assert.deepEqual(finalsJoined(0), []);
  assert.deepEqual(finalsJoined(1), ['0: ll+rr', '10: ll+rr', '20: ll+rr']);
  assert.deepEqual(finalsJoined(0, 30), ['0: ll+rr', '10: ll+rr', '20: ll+rr']);
});
