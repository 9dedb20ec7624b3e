import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../core/clock.ts';
import { partitionName } from '../../core/ids.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder, BatchView, type Compression } from '../batch.ts';
import type { Log, LogProducer, LogReader, ReaderOptions } from '../log.ts';
import { createMemoryLog } from '../memory/memory.ts';
import { createLaneLog } from './lanes.ts';

const RUNS = 12;
const TOPICS = ['a', 'b'];
const PARTITIONS = 2;

/**
 * The same appends, in the same order, to topics of their own and to logical ones that share two lanes: readers find
 * the same batches, wherever they begin, pause, go back and go on.
 */
test('a reader of a lane is given what a topic of its own gives', async () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const random = seededRandom(seed);
      const clock = new VirtualClock(1_700_000_000_000);
      const own = createMemoryLog({ clock, random: seededRandom(seed) });
      const below = createMemoryLog({ clock, random: seededRandom(seed) });
      const runOf = (topic: string) => topic.split('.')[0];
      // the second topic of a run finds no slot where there are two lane topics, and is one of its own
      const topics = random.next() < 0.3 ? 2 : 4;
      const lanes = createLaneLog(below, { clock, runOf, lanes: { topics, partitions: 2 } });
      const logs = [own, lanes];
      for (let run = 0; run < RUNS; run++) {
        for (const topic of TOPICS) {
          for (const log of logs) await log.admin.create(`${run}.${topic}`, { partitions: PARTITIONS });
        }
      }
      const writers = await Promise.all(
        Array.from({ length: RUNS }, async (_, run) => ({
          plain: await producers(logs, {}),
          within: await producers(logs, { transactionalId: `run-${run}` }),
          open: false,
        })),
      );
      const progress = new Map<Log, Followed[]>(logs.map((log) => [log, follow(log)]));
      for (let i = 0; i < 200; i++) {
        const run = randomInt(random, RUNS);
        const writer = writers[run]!;
        const what = randomInt(random, 10);
        if (what < 5) {
          const topic = `${run}.${TOPICS[randomInt(random, TOPICS.length)]!}`;
          const partition = randomInt(random, PARTITIONS);
          const count = 1 + randomInt(random, random.next() < 0.1 ? 300 : 4);
          const compression = random.next() < 0.2 ? 'lz4' : 'none';
          const through = writer.open ? writer.within : writer.plain;
          await Promise.all(through.map((each) => each.append(topic, partition, batch(i, count, compression))));
        } else if (what < 8) {
          for (const each of writer.within) {
            if (!writer.open) each.begin();
          }
          if (writer.open) {
            const commits = what < 7;
            for (const each of writer.within) await (commits ? each.commit() : each.abort());
          }
          writer.open = !writer.open;
        } else {
          // the two read at times and in steps of their own
          const log = logs[randomInt(random, 2)]!;
          const followed = progress.get(log)!;
          await step(followed[randomInt(random, followed.length)]!, random.next.bind(random));
        }
      }
      for (const writer of writers) if (writer.open) for (const each of writer.within) await each.commit();
      const seen = await Promise.all(logs.map((log) => Promise.all(progress.get(log)!.map(toEnd))));
      assert.deepEqual(seen[1], seen[0]);
      assert.ok(seen[0]!.some((one) => [...one.values()].some((rows) => rows.length > 0)));
      await lanes.close();
      for (const log of [own, below]) await log.close();
    }),
    { numRuns: 60 },
  );
});

async function producers(logs: readonly Log[], options: { readonly transactionalId?: string }): Promise<LogProducer[]> {
  return Promise.all(logs.map((log) => log.producer(options)));
}

/** A reader of all partitions of some runs, and what it has read of each. */
interface Followed {
  readonly log: Log;
  readonly reader: LogReader;
  readonly next: Map<string, number>;
  readonly rows: Map<string, string[]>;
  readonly paused: Set<string>;
}

function follow(log: Log): Followed[] {
  const isolations: ReaderOptions['isolation'][] = ['committed', 'uncommitted', 'committed'];
  return isolations.map((isolation, i) => {
    const reader = log.reader({ isolation, maxPartitionBytes: i === 2 ? 600 : 1 << 20 });
    const places = Array.from({ length: RUNS }, (_, run) => run).flatMap((run) =>
      TOPICS.flatMap((topic) => [0, 1].map((partition) => ({ topic: `${run}.${topic}`, partition, position: 0 }))),
    );
    const read = i === 2 ? places.slice(0, 3) : places;
    reader.assign(read);
    const names = read.map(({ topic, partition }) => partitionName(topic, partition));
    return {
      ...{ log, reader, paused: new Set<string>() },
      next: new Map(names.map((name) => [name, 0])),
      rows: new Map(names.map((name) => [name, []])),
    };
  });
}

async function step(followed: Followed, draw: () => number): Promise<void> {
  const { reader, next, rows, paused } = followed;
  const names = [...next.keys()];
  const name = names[Math.floor(draw() * names.length)]!;
  const [topic, number] = name.split('/') as [string, string];
  const place = { topic, partition: Number(number) };
  const what = draw();
  if (what < 0.2) {
    reader.pause(place);
    paused.add(name);
  } else if (what < 0.4) {
    reader.resume(place);
    paused.delete(name);
  } else if (what < 0.5) {
    // reads it again from the start
    reader.assign([{ ...place, position: 0 }]);
    next.set(name, 0);
    rows.set(name, []);
  } else await take(followed);
}

async function take({ reader, next, rows, paused }: Followed): Promise<void> {
  const view = new BatchView();
  for (const fetched of await reader.fetch(0)) {
    const name = partitionName(fetched.topic, fetched.partition);
    assert.ok(!paused.has(name), `${name} is paused`);
    assert.equal(fetched.position, next.get(name));
    assert.ok(fetched.next > fetched.position && fetched.next <= fetched.end);
    for (let b = 0; b < fetched.starts.length; b++) {
      view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
      let text = '';
      for (let i = 0; i < view.count; i++) {
        assert.ok(view.positions[i]! >= fetched.position && view.positions[i]! < fetched.next);
        text += `${view.timestamps[i]} ${view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!)};`;
      }
      rows.get(name)!.push(text);
    }
    next.set(name, fetched.next);
    fetched.release();
  }
}

async function toEnd(followed: Followed): Promise<ReadonlyMap<string, readonly string[]>> {
  const { log, reader, next, paused } = followed;
  for (const name of [...next.keys()]) {
    const [topic, number] = name.split('/') as [string, string];
    reader.resume({ topic, partition: Number(number) });
    paused.delete(name);
    const { end } = await log.admin.bounds(topic, Number(number));
    while (next.get(name)! < end) await take(followed);
  }
  await reader.close();
  return followed.rows;
}

function batch(number: number, count: number, compression: Compression) {
  const step = new Step();
  step.begin();
  const builder = new BatchBuilder(step);
  for (let i = 0; i < count; i++) {
    const value = Buffer.from(`${number}-${i}`);
    builder.append(number * 1000 + i, value, -1, -1, value, 0, value.length);
  }
  step.settle();
  return builder.finish(compression);
}
