import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { partitionForKey } from '../log/partitioner.ts';
import { drive, type InputRecord } from './driven.testing.ts';
import {
  DISORDER,
  type LawfulCounts,
  type LawfulOutput,
  type LawfulProgram,
  LOADED_AT,
  lawfulEvents,
  lawfulEverywhere,
  lawfulProgram,
  lawfulRows,
  lawfulVersions,
} from './random-law.testing.ts';
import { TopologyDriver } from './testing.ts';

const ALONE: LawfulCounts = { sources: 1, middle: 1 };
const COUNTS: readonly LawfulCounts[] = [
  ALONE,
  { sources: 2, middle: 2 },
  { sources: 7, middle: 7 },
  { sources: 2, middle: 7 },
  { sources: 7, middle: 1 },
];
const TOPICS = { events: lawfulEvents, rows: lawfulRows, everywhere: lawfulEverywhere, versions: lawfulVersions };

interface Sent {
  readonly topic: keyof typeof TOPICS;
  readonly key: string;
  readonly n: number;
  readonly timestamp: number;
}

/** First the tables that are loaded before, then records of which none is further behind than the disorder. */
function inputsOf(seed: number): readonly Sent[] {
  const random = seededRandom(seed);
  const sent: Sent[] = [];
  for (let i = 0; i < 6; i++) sent.push({ topic: 'rows', key: `k${i}`, n: i * 10, timestamp: LOADED_AT });
  for (let i = 0; i < 5; i++) sent.push({ topic: 'everywhere', key: `k${i}`, n: i * 7, timestamp: LOADED_AT });
  let time = LOADED_AT + DISORDER + 1;
  for (let i = 0; i < 70; i++) {
    time += randomInt(random, 4) + (randomInt(random, 15) === 0 ? 30 : 0);
    const topic = randomInt(random, 5) === 0 ? 'versions' : 'events';
    const timestamp = time - randomInt(random, DISORDER);
    sent.push({ topic, key: `k${randomInt(random, 8)}`, n: randomInt(random, 60), timestamp });
  }
  // versions are told apart by their times
  const versions = new Set<string>();
  return sent.filter(({ topic, key, timestamp }) => {
    const before = versions.size;
    return topic !== 'versions' || versions.add(`${key} ${timestamp}`).size > before;
  });
}

/** What is out at the end, by output. */
type Results = readonly (readonly string[])[];
type Line = readonly [key: unknown, value: { readonly n: number } | null];

function resultOf({ counts }: LawfulOutput, lines: readonly Line[]): readonly string[] {
  if (counts === 'records') return lines.map((line) => JSON.stringify(line)).toSorted();
  const rows = new Map<string, string>();
  for (const [key, value] of lines) {
    const id = JSON.stringify(key);
    // a sum of nothing is as good as none: whether there ever was anything hangs on what came first
    if (value === null || value.n === 0) rows.delete(id);
    else rows.set(id, `${id} ${value.n}`);
  }
  return [...rows.values()].toSorted();
}

/** Record by record, with commits, crashes and rebalances between any two of them where a seed is given. */
async function streamed(
  lawful: LawfulProgram,
  counts: LawfulCounts,
  sent: readonly Sent[],
  seed?: number,
  // nobody falls idle: one that wakes behind the others does not hold them back, and what it waits for would be late
  idleMs = 1,
) {
  const random = seed === undefined ? undefined : seededRandom(seed);
  const options = random === undefined ? {} : { commit: 'on demand' as const, batchBytes: 200, idleMs };
  const driver = await TopologyDriver.open(lawful.program, options);
  const read = lawful.program.plan.topics.map(({ name }) => name);
  const lines = lawful.outputs.map((): Line[] => []);
  const take = () => {
    for (const [i, { topic }] of lawful.outputs.entries()) {
      for (const { key, value } of driver.output(topic).read()) lines[i]!.push([key, value]);
    }
  };
  for (const { topic, key, n, timestamp } of sent) {
    if (!read.includes(topic)) continue;
    driver.input(TOPICS[topic](counts.sources)).send(key, { n }, { timestamp });
    if (random === undefined) await driver.idle();
    else {
      const what = randomInt(random, 14);
      if (what === 0) driver.commit();
      if (what === 1) await driver.crash();
      if (what === 2) await driver.rebalance();
      if (what > 8) await driver.idle();
    }
    take();
  }
  await driver.end();
  driver.commit();
  take();
  // a difference is not taken to a record that is newer than its own, however many partitions there are
  const late = Object.keys(driver.dropped()).filter((why) => why.endsWith(' late') && !why.startsWith('difference:'));
  assert.deepEqual(late, [], 'something is late');
  return lawful.outputs.map((output, i) => resultOf(output, lines[i]!));
}

/** Each task runs alone over whole inputs, with the least memory, write-backs and crashes. */
async function batch(lawful: LawfulProgram, counts: LawfulCounts, sent: readonly Sent[], seed: number) {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-law-'));
  try {
    const inputs = new Map<string, readonly InputRecord[]>();
    for (const name of Object.keys(TOPICS)) {
      const own = sent.filter(({ topic }) => topic === name);
      inputs.set(
        name,
        own.map((each) => inputOf(each, counts.sources)),
      );
    }
    const crashEvery = seed % 3 === 0 ? 0 : 20;
    const stateBytes = seed % 2 === 0 ? 1 : 20_000;
    const { outputs, crashes, misses } = await drive(log, lawful.program, inputs, {
      ...{ seed, crashEvery, stateBytes, directory },
    });
    const results = lawful.outputs.map((output) => {
      const lines = Object.entries(outputs)
        .filter(([partition]) => partition.startsWith(`${output.topic.name}/`))
        .flatMap(([, each]) => each.map((line) => lineOf(output, line)));
      return resultOf(output, lines);
    });
    return { results, crashes, misses };
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function inputOf({ key, n, timestamp }: Sent, partitions: number): InputRecord {
  const bytes = Buffer.from(key);
  const partition = partitionForKey(bytes, 0, bytes.length, partitions);
  return { partition, key: bytes, value: Buffer.from(JSON.stringify({ n })), timestamp };
}

function lineOf({ topic }: LawfulOutput, line: string): Line {
  const [, key, value] = JSON.parse(line) as [number, string, string];
  const bytes = Buffer.from(key, 'latin1');
  const row = value === 'null' ? null : (JSON.parse(value) as { n: number });
  return [topic.keySerde.decode(bytes, 0, bytes.length), row];
}

/** Checks programs of that many seeds, which have every piece between them. */
async function overSeeds(first: number, count: number, check: (seed: number) => Promise<LawfulProgram>): Promise<void> {
  const pieces = new Map<string, number>();
  for (let seed = first; seed < first + count; seed++) {
    try {
      const lawful = await check(seed);
      for (const piece of lawful.pieces) pieces.set(piece, (pieces.get(piece) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  for (const piece of PIECES) assert.ok((pieces.get(piece) ?? 0) > 0, `no program has ${piece}: ${[...pieces]}`);
}

const PIECES: readonly string[] = [
  ...['windows', 'windows of windows', 'cogroup', 'tables of tables', 'table join', 'stream join', 'as-of join'],
  ...['inner foreign join', 'left foreign join', 'global join', 'own operator'],
  ...['suppress', 'deduplicate', 'difference', 'tumbling windows', 'hopping windows', 'sliding windows'],
  ...['session windows', 'session by record windows', 'cumulative windows', 'calendar windows', 'custom windows'],
  ...['calls in order of key', 'calls in order of partition', 'calls in order of none'],
];

function assertSame(results: Results, expected: Results, lawful: LawfulProgram, where: string): void {
  for (const [i, rows] of expected.entries()) {
    assert.deepEqual(results[i], rows, `${lawful.outputs[i]!.topic.name} of ${lawful.pieces}: ${where}`);
  }
}

test('hard-places 20: record by record, partitions, commits, crashes and rebalances change nothing', () =>
  overSeeds(1, 25, async (seed) => {
    const sent = inputsOf(seed);
    const alone = lawfulProgram(seed, ALONE);
    const expected = await streamed(alone, ALONE, sent);
    assert.ok(expected.some((rows) => rows.length > 0));
    for (const counts of COUNTS) {
      const lawful = lawfulProgram(seed, counts);
      const results = await streamed(lawful, counts, sent, seed);
      assertSame(results, expected, lawful, JSON.stringify(counts));
    }
    return alone;
  }));

test('a task that was opened anew is not idle before it has been given what there is to read', async () => {
  const seed = 51;
  const sent = inputsOf(seed);
  const expected = await streamed(lawfulProgram(seed, ALONE), ALONE, sent);
  for (const counts of COUNTS) {
    const lawful = lawfulProgram(seed, counts);
    assertSame(await streamed(lawful, counts, sent, seed, 0), expected, lawful, JSON.stringify(counts));
  }
});

test('hard-places 20: a batch gives the same, in any sizes, with any bound of memory and any crashes', async () => {
  const sum = { crashes: 0, misses: 0 };
  await overSeeds(1001, 25, async (seed) => {
    const sent = inputsOf(seed);
    const alone = lawfulProgram(seed, ALONE);
    const expected = await streamed(alone, ALONE, sent);
    for (const at of [seed, seed + 2]) {
      const counts = COUNTS[at % COUNTS.length]!;
      const lawful = lawfulProgram(seed, counts);
      const run = await batch(lawful, counts, sent, seed);
      assertSame(run.results, expected, lawful, JSON.stringify(counts));
      sum.crashes += run.crashes;
      sum.misses += run.misses;
    }
    return alone;
  });
  assert.ok(sum.crashes > 20 && sum.misses > 20, JSON.stringify(sum));
});
