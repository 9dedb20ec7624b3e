import assert from 'node:assert/strict';
import fc from 'fast-check';
import { int64, string } from '../../schemas/schemas.ts';
import { type Stream, type Topology, topic, topology } from '../../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './disturb.ts';
import { testProgram } from './everything.ts';
import type { Datum } from './test-task.ts';

const KEYED = { key: string(), partitions: 1 } as const;
export const IN = topic('in', { ...KEYED, value: int64() });
export const NUMBERS = topic('numbers', { ...KEYED, value: int64() });
export const TEXTS = topic('texts', { ...KEYED, value: string() });

export type NumberStream = Stream<string, number, 1>;

/** A record of the topic that is read: the types say that it has a key and a value, and it may have none. */
export interface Numbered {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}

/** What is due for one record, by topic; time is that of the record where none is said. */
export interface Due {
  readonly topic: 'numbers' | 'texts';
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp?: number;
}

export const numbered = fc.array(
  fc.record({
    topic: fc.constant('in'),
    key: fc.constantFrom('a', 'ab', 'é', '', null),
    value: fc.option(fc.integer({ min: -20, max: 20 }), { freq: 8 }),
    timestamp: fc.nat(60),
  }),
  { maxLength: 30, size: 'max' },
);

/**
 * Whatever comes, each topic gets what `due` says, record by record, and so it is where reads miss and the task is
 * committed and crashes between any two steps. `drops` are the reasons for which records go no further.
 */
export function checkStream(
  define: (stream: NumberStream, app: Topology) => void,
  due: (record: Numbered, before: readonly Numbered[]) => readonly Due[],
  drops: (record: Numbered) => readonly string[] = () => [],
): void {
  const app = topology('one-stream');
  define(app.stream(IN) as unknown as NumberStream, app);
  const program = testProgram(app.build());
  let results = 0;
  fc.assert(
    fc.property(numbered, fc.nat(), (data, seed) => {
      const records = data as readonly Numbered[];
      const expected = records.flatMap((record, i) =>
        due(record, records.slice(0, i)).map((each): Datum => ({ timestamp: record.timestamp, ...each })),
      );
      const task = runPlainly(program, data);
      for (const name of ['numbers', 'texts']) {
        const ofTopic = ({ topic: each }: Datum) => each === name;
        assert.deepEqual(task.written.items.filter(ofTopic), expected.filter(ofTopic));
      }
      assert.deepEqual(
        task.dropped.items.map(({ reason }) => reason),
        records.flatMap(drops),
      );
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(task));
      results += expected.length;
    }),
    { numRuns: 60, seed: 505 },
  );
  assert.ok(results > 100, `${results} results`);
}
