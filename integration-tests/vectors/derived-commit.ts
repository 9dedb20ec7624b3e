import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { type Driven, drive } from '../../runtime/driven.testing.ts';
import { int64, string } from '../../schemas/schemas.ts';
import { topic, topology } from '../../topology/topology.ts';
import type { Verdict } from './judge.ts';
import type { Derived } from './vector.ts';
import { type BenchOptions, WorkerBench } from './worker-bench.ts';

/** What of a step of a commit is seen of the engine's worker; a step without counterpart, such as a flush of caches, is none. */
const SEEN: readonly (readonly [words: RegExp, event: string])[] = [
  [/prepare revoked/, 'prepare t0'],
  [/prepare all other/, 'prepare t1'],
  [/flush .*caches/, 'prepare t0'],
  [/producer\.flush|send error/, 'commit.appended'],
  [/sendOffsets|collect next offsets|commitSync/, 'positions'],
  [/commitTransaction|in one transaction/, 'commit'],
  [/mark tasks clean|write checkpoint/, 'clean t0'],
  [/force a checkpoint|suspend revoked/, 'close t0'],
  [/dirty/, 'discard t0'],
  [/^abort/, 'abort'],
  [/re-initialise/, 'renew'],
];

/** The order of a commit, and what comes of one that fails. */
export async function judgeCommit({ expect }: Derived): Promise<Verdict> {
  const fault = Array.isArray(expect) ? await orderFault(expect as string[]) : await crashFault(expect as object);
  return fault === undefined ? { kind: 'passed', differences: [] } : { kind: 'failed', differences: [], fault };
}

async function orderFault(lines: readonly string[]): Promise<string | undefined> {
  const words = lines.join('\n');
  const events = await eventsOf(words);
  const commits = events.filter((event) => event === 'commit').length;
  const wanted = lines.map((line) => SEEN.find(([pattern]) => pattern.test(line))?.[1]);
  let from = 0;
  for (const [i, event] of wanted.entries()) {
    if (event === undefined) continue;
    const at = events.indexOf(event, event === wanted[i - 1] ? from - 1 : from);
    if (at < 0) return `expected ${event} for "${lines[i]}", found ${events.slice(from).join(', ')}`;
    from = at + 1;
  }
  const transactions = wanted.includes('commit') ? 1 : 0;
  return commits === transactions ? undefined : `expected ${transactions} commits, found ${events.join(', ')}`;
}

/** The worker commits, gives a task up, or has one taken from it. */
async function eventsOf(words: string): Promise<readonly string[]> {
  const guarantee = words.includes('commitSync') ? 'at-least-once' : 'exactly-once';
  return onBench({ guarantee }, async (bench) => {
    await bench.assign('t0', 't1');
    await bench.until(() => bench.events.includes('append'));
    bench.events.length = 0;
    if (/revoked/.test(words)) await bench.worker.revoke(['t0']);
    else if (/dirty/.test(words)) await bench.lose('t1');
    else await bench.stop();
    return [...bench.events];
  });
}

async function onBench<T>(options: BenchOptions, work: (bench: WorkerBench) => Promise<T>): Promise<T> {
  const bench = new WorkerBench(options);
  try {
    return await work(bench);
  } finally {
    await bench.stop();
  }
}

async function crashFault(expect: object): Promise<string | undefined> {
  if ('outputs' in expect) return crashedFault();
  if ('processing' in expect) return unansweredFault('log.timeout');
  return unansweredFault('log.fenced');
}

/**
 * A commit that is not answered, or refused since there is a newer owner: nothing runs and nothing is sent until
 * another producer has decided it, and the tasks are opened anew.
 */
async function unansweredFault(firstCommit: 'log.timeout' | 'log.fenced'): Promise<string | undefined> {
  return onBench({ firstCommit, commitIntervalMs: 1 }, async (bench) => {
    await bench.assign('t0');
    await bench.until(() => bench.events.includes('renew') && bench.events.at(-1) === 'run t0');
    const { events } = bench;
    const between = events.slice(events.indexOf('commit') + 1, events.indexOf('renew'));
    const did = between.filter((event) => !event.startsWith('commit.') && event !== 'abort');
    if (!isDeepStrictEqual(did, ['discard t0'])) return `expected nothing but to discard, found ${between.join(', ')}`;
    const opened = events.indexOf('open t0', events.indexOf('renew'));
    return opened < 0 ? 'was not opened anew' : undefined;
  });
}

/** Crashes with results sent and not committed: what is read in the end is what a run without them gives. */
async function crashedFault(): Promise<string | undefined> {
  const words = topic('words', { key: string(), value: string(), partitions: 1 });
  const counts = topic('counts', { key: string(), value: int64(), partitions: 1 });
  const app = topology('crashed');
  app.stream(words).groupByKey().count({ store: 'counts' }).toStream().to(counts);
  const program = app.build();
  const record = (n: number) => ({
    partition: 0,
    key: Buffer.from(`k${n % 7}`),
    value: Buffer.from('x'),
    timestamp: n,
  });
  const inputs = new Map([['words', Array.from({ length: 500 }, (_, n) => record(n))]]);
  const run = async (options: { seed?: number; crashEvery?: number }): Promise<Driven> => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    const driven = await drive(log, program, inputs, options);
    await log.close();
    return driven;
  };
  const plain = await run({});
  const crashed = await run({ seed: 7, crashEvery: 5 });
  if (crashed.crashes === 0) return 'nothing has crashed';
  return isDeepStrictEqual(crashed.outputs, plain.outputs) ? undefined : 'crashes have changed what is read';
}
