import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { systemClock } from '../../core/clock.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { openDatabase } from '../../database/database.ts';
import {
  decodeStep,
  EVENTS_TOPIC,
  encodeStep,
  type FeedCursor,
  type NamedEvent,
  type NodeStatus,
  openFeed,
  type StepRecord,
  type Subscription,
} from '../../events/events.ts';
import { BatchBuilder } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { followFeed, openProjections } from '../../projections/projections.ts';
import { keyOf } from '../../workflows/lifecycle/row.ts';
import { graphOf } from '../../workflows/lifecycle/testing/random-graph.fixture.ts';
import { World } from '../../workflows/lifecycle/testing/world.ts';

const PARTITIONS = 2;
const EXECUTIONS = 3;

/** Executions of random graphs, disturbed in every way. */
function livedWorlds(seed: number): readonly World[] {
  return Array.from({ length: EXECUTIONS }, (_, i) => {
    const world = new World(graphOf({ seed: seed + i, nodes: 1 + ((seed + i) % 9) }), {
      ...{ seed: seed + i, faults: 0.25, duplicates: 0.2, crashes: 0.1, people: 0.05 },
    });
    world.run();
    return world;
  });
}

/** Their step records, each under a name of its own, in any order that keeps each one's. */
function mixed(worlds: readonly World[], seed: number): readonly StepRecord[] {
  const random = seededRandom(seed);
  const left = worlds.map(({ records }, i) => records.map((record) => ({ ...record, execution: `e${i}` })));
  const all: StepRecord[] = [];
  for (let open = left.filter(({ length }) => length > 0); open.length > 0; ) {
    all.push(open[randomInt(random, open.length)]!.shift()!);
    open = open.filter(({ length }) => length > 0);
  }
  return all;
}

const partitionOf = (execution: string) => Number(execution.slice(1)) % PARTITIONS;

async function append(log: Log, record: StepRecord): Promise<void> {
  const builder = new BatchBuilder(new Step());
  const bytes = encodeStep(record);
  builder.append(record.at, bytes, 0, 0, bytes, 0, bytes.length);
  const producer = await log.producer({});
  await producer.append(EVENTS_TOPIC, partitionOf(record.execution), builder.finish());
  await producer.close();
}

const NAMES = { workflow: 'w', id: (node: number) => String(node), type: () => 'test', schema: () => null };

/** What a client makes of events, wherever it was cut off: it goes on behind the last place that it was given. */
class Client {
  readonly states = new Map<string, NodeStatus>();
  readonly status = new Map<string, string>();
  readonly #last = new Map<string, readonly [seq: number, index: number]>();
  cursor: FeedCursor = [];
  cuts = 0;
  again = 0;

  /** Whether it is new. */
  take({ execution, seq, index, type, node, iteration, data }: NamedEvent, cursor: FeedCursor): boolean {
    const last = this.#last.get(execution) ?? [0, -1];
    const isOld = seq < last[0] || (seq === last[0] && index <= last[1]);
    this.cursor = cursor;
    // of a step within which it was cut off it has the first events twice, by their numbers, and of no other
    if (isOld) {
      assert.equal(seq, last[0], `${execution}: a step that was taken came again`);
      this.again++;
      return false;
    }
    const isNext = seq === last[0] ? index === last[1] + 1 : index === 0;
    assert.ok(isNext, `${execution}: ${seq}.${index} behind ${last.join('.')}`);
    this.#last.set(execution, [seq, index]);
    if (type === 'NODE_STATE_CHANGED') {
      this.states.set(`${execution} ${keyOf(Number(node), iteration)}`, data['to'] as NodeStatus);
    }
    if (type === 'EXECUTION_COMPLETED') this.status.set(execution, String(data['status']));
    return true;
  }
}

/** Reads until nothing is left, and is cut off behind an event as often as `chance` says; each time it comes to another server. */
async function followed(log: Log, all: number, chance: number, seed: number): Promise<Client> {
  const random = seededRandom(seed);
  const client = new Client();
  const open = () =>
    openFeed({ log, clock: systemClock, partitions: PARTITIONS, decode: decodeStep, names: () => NAMES });
  let feed = await open();
  while (client.status.size < all) {
    const cut = Promise.withResolvers<void>();
    let isCut = false;
    const subscription: Subscription = feed.events({}, client.cursor, (event, cursor) => {
      // what was on its way when it was cut off does not arrive
      if (isCut) return;
      isCut = (client.take(event, cursor) && random.next() < chance) || client.status.size === all;
      if (isCut) cut.resolve();
    });
    await Promise.race([cut.promise, subscription.ended]);
    client.cuts++;
    subscription.close();
    await subscription.ended;
    if (random.next() < 0.2) {
      await feed.close();
      feed = await open();
    }
  }
  await feed.close();
  return client;
}

const cases = fc.record({ seed: fc.integer({ min: 1, max: 2 ** 30 }), written: fc.nat(100) });

test('C.7 19: after any cuts, at each event too, what a client has made of events is the state of the server', {
  timeout: 240_000,
}, async () => {
  let [cuts, again] = [0, 0];
  await fc.assert(
    fc.asyncProperty(cases, async ({ seed, written }) => {
      const worlds = livedWorlds(seed);
      const records = mixed(worlds, seed);
      const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
      await log.admin.create(EVENTS_TOPIC, { partitions: PARTITIONS });
      const before = written % (records.length + 1);
      for (const record of records.slice(0, before)) await append(log, record);
      const reading = Promise.all([0, 0.1, 1].map((chance, i) => followed(log, EXECUTIONS, chance, seed + i)));
      for (const record of records.slice(before)) await append(log, record);
      for (const client of await reading) {
        for (const [i, { rows }] of worlds.entries()) {
          assert.equal(client.status.get(`e${i}`), rows.header()!.status);
          for (const [key, row] of rows.nodes) {
            assert.equal(client.states.get(`e${i} ${key}`) ?? 'PENDING', row.status, `e${i} ${key}`);
          }
        }
        cuts += client.cuts;
        again += client.again;
      }
      await log.close();
    }),
    { numRuns: 25, seed: 19 },
  );
  assert.ok(cuts > 1000 && again > 100, `${cuts} cuts, ${again} events came again`);
});

test('C.7 19: after any cuts the rows of a read side are the state of the server', { timeout: 240_000 }, async () => {
  for (const seed of [3, 33]) {
    const random = seededRandom(seed);
    const worlds = livedWorlds(seed);
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    await log.admin.create(EVENTS_TOPIC, { partitions: PARTITIONS });
    const projections = await openProjections(await openDatabase({ directory: undefined }));
    for (let records = mixed(worlds, seed); records.length > 0; ) {
      const some = 1 + randomInt(random, 30);
      for (const record of records.slice(0, some)) await append(log, record);
      records = records.slice(some);
      const feed = await openFeed({
        ...{ log, clock: systemClock, partitions: PARTITIONS, decode: decodeStep, names: () => NAMES },
      });
      const following = followFeed({ feed, projections, clock: systemClock });
      // cut off wherever it stands, but for the last time
      if (random.next() < 0.5 || records.length === 0) await following.caughtUp();
      await following.close();
      await feed.close();
    }
    const { rows } = await projections.list({});
    for (const [i, world] of worlds.entries()) {
      const header = world.rows.header()!;
      const row = rows.find(({ id }) => id === `e${i}`)!;
      assert.deepEqual([row.status, row.degraded], [header.status, header.degraded]);
      const end = world.records.flatMap(({ events }) => events).find(({ type }) => type === 'ended');
      assert.ok(end?.type === 'ended' && end.counts !== undefined);
      for (const [state, count] of Object.entries(end.counts)) assert.equal(row.counts[state] ?? 0, count, state);
    }
    await projections.close();
    await log.close();
  }
});
