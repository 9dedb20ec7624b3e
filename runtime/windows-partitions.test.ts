import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  hopping,
  type Merging,
  type Stream,
  session,
  sliding,
  topic,
  topology,
  tumbling,
  type Windows,
} from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const HOUR = 3_600_000;
const GRACE = 20 * HOUR;
type AnyWindows = Windows<number, string, Merging>;

const kinds: { readonly [name: string]: readonly [AnyWindows, Serde<Windowed<string>>] } = {
  tumbling: [tumbling(7 * HOUR, { grace: GRACE }), windowed(string(), 7 * HOUR)],
  hopping: [hopping(8 * HOUR, { advance: 3 * HOUR, grace: GRACE }), windowed(string(), 8 * HOUR)],
  sliding: [sliding({ difference: 5 * HOUR, grace: GRACE }), windowed(string(), 5 * HOUR)],
  session: [session({ gap: 4 * HOUR, grace: GRACE }), sessionWindowed(string())],
  'session by record': [
    session<number, string>({ gap: (value) => value * HOUR, grace: GRACE }),
    sessionWindowed(string()),
  ],
  counts: [counts({ size: 3, every: 2 }), sessionWindowed(string())],
  cumulative: [cumulative({ step: 2 * HOUR, max: 8 * HOUR, grace: GRACE }), sessionWindowed(string())],
  calendar: [calendar({ unit: 'day', timeZone: 'America/New_York', grace: GRACE }), sessionWindowed(string())],
  custom: [
    custom<number, string>({
      name: 'own',
      assign: (time, value) => ({ start: time, end: time + value * HOUR }),
      merge: (a, b) =>
        a.start < b.end && b.start < a.end
          ? { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) }
          : undefined,
      grace: GRACE,
    }),
    sessionWindowed(string()),
  ],
};

const events = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    value: fc.integer({ min: 1, max: 6 }),
    later: fc.nat(3),
    back: fc.nat(9),
  }),
  { maxLength: 40, size: 'max' },
);

/** The last rows of the updates, and the final results, as texts in order of text. */
async function run(
  [windows, key]: readonly [AnyWindows, Serde<Windowed<string>>],
  partitions: number,
  input: readonly { readonly key: string; readonly value: number; readonly at: number }[],
): Promise<{ readonly rows: readonly string[]; readonly finals: readonly string[] }> {
  const app = topology('partitions');
  const source = topic('in', { key: string(), value: int64(), partitions });
  const stream = app.stream(source) as Stream<string, number, number>;
  const grouped = stream
    .repartition({ name: 'again', key: string(), value: int64(), partitions })
    .groupByKey()
    .window(windows);
  const add = (sum: number, value: number) => sum + value;
  const updates = topic('updates', { key, value: int64(), partitions });
  const finals = topic('finals', { key, value: int64(), partitions });
  const table = grouped.reduce({ store: 'rows', value: int64(), add });
  (table.toStream() as Stream<Windowed<string>, number, number>).to(updates);
  grouped.emitOnClose().reduce({ store: 'closing', value: int64(), add }).toStream().to(finals);
  const driver = await TopologyDriver.open(app);
  const send = driver.input(source);
  for (const { key: each, value, at } of input) send.send(each, value, { timestamp: at });
  await driver.end();
  const idOf = ({ key: inner, start, end }: Windowed<string>) => `${inner} ${start} ${end}`;
  const rows = new Map<string, string>();
  for (const { key: each, value } of driver.output(updates).read()) {
    if (value === null) rows.delete(idOf(each!));
    else rows.set(idOf(each!), `${idOf(each!)} ${value}`);
  }
  const out = driver.output(finals).read();
  return {
    rows: [...rows.values()].sort(),
    finals: out.map(({ key: each, value }) => `${idOf(each!)} ${value}`).sort(),
  };
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`hard-places 20: ${name} windows do not depend on the number of partitions`, async () => {
    await fc.assert(
      fc.asyncProperty(events, async (list) => {
        let clock = 10_000 * HOUR;
        const input = list.map(({ key, value, later, back }) => {
          clock += later * HOUR;
          return { key, value, at: clock - back * HOUR };
        });
        const one = await run(kind, 1, input);
        if (name !== 'counts') assert.deepEqual(one.finals, one.rows);
        for (const partitions of [2, 7]) assert.deepEqual(await run(kind, partitions, input), one);
      }),
      { numRuns: 40, seed: 27 },
    );
  });
}
