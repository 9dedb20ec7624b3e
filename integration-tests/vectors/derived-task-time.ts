import { isDeepStrictEqual } from 'node:util';
import { TopologyDriver } from '../../runtime/testing.ts';
import { int64, string, windowed } from '../../schemas/schemas.ts';
import { topic, topology, tumbling } from '../../topology/topology.ts';
import type { Verdict } from './judge.ts';
import { TaskBench } from './task-bench.ts';
import type { Derived } from './vector.ts';

interface Poll {
  readonly from: string;
  readonly ts: number;
  readonly streamTime?: number;
  readonly lateness?: number;
}

type Times = { readonly [partition: string]: number };

interface Line {
  readonly add?: { readonly [partition: string]: readonly number[] };
  readonly lag?: Times;
  readonly poll?: Poll;
  readonly ready?: boolean;
  readonly committed?: Times;
  readonly streamTime?: number;
  readonly restart?: boolean;
}

const PARTITIONS = ['P1', 'P2'];

/** Which record a task takes next, when it waits, and what it knows of time. */
export async function judgeTaskTime({ script = [], config = {} }: Derived): Promise<Verdict> {
  const lines = script as readonly Line[];
  if (lines.some(({ restart }) => restart === true)) return judgeRestart(script);
  const bench = new TaskBench(PARTITIONS);
  const idles = (config['maxTaskIdleMs'] ?? 0) !== 0;
  for (const [index, line] of lines.entries()) {
    const fault = idles ? await waitFault(bench, line) : await lineFault(bench, line);
    if (fault !== undefined) return { kind: 'failed', differences: [], fault: `line ${index}: ${fault}` };
  }
  // There is no such setting: an input that lags is waited for, and one that does not is not.
  return idles ? { kind: 'intended', differences: ['idle-inputs'] } : { kind: 'passed', differences: [] };
}

async function lineFault(bench: TaskBench, line: Line): Promise<string | undefined> {
  if (line.ready !== undefined) {
    const ready = await bench.ready();
    return ready === line.ready ? undefined : `expected ready ${line.ready}`;
  }
  if (line.poll !== undefined) {
    const taken = await bench.poll();
    const found = taken && Object.fromEntries(Object.entries(taken).filter(([name]) => name in line.poll!));
    return isDeepStrictEqual(found, { ...line.poll })
      ? undefined
      : `expected ${JSON.stringify(line.poll)}, found ${JSON.stringify(found)}`;
  }
  if (line.streamTime !== undefined) {
    const streamTime = await bench.streamTime();
    return streamTime === line.streamTime ? undefined : `expected stream time ${line.streamTime}, found ${streamTime}`;
  }
  if (line.committed !== undefined) await bench.commitAt(line.committed);
  bench.take(line.add ?? {}, line.lag ?? {});
  return undefined;
}

async function waitFault(bench: TaskBench, line: Line): Promise<string | undefined> {
  if (line.ready === undefined) return lineFault(bench, line);
  const ready = await bench.ready();
  return ready === !bench.lags ? undefined : `ready is ${ready}`;
}

/**
 * The clock of an operator after a restart. There it is lost, and a late record is taken; here it is restored, and
 * the record is late as it would have been without the restart.
 */
async function judgeRestart(script: NonNullable<Derived['script']>): Promise<Verdict> {
  const words = JSON.stringify(script);
  const [, size, grace] = /tumbling (\d+) grace (\d+)/.exec(words) ?? [];
  const records = [...words.matchAll(/S (\w+) (\w+) (\d+)/g)].map(([, k, v, ts]) => ({ k: k!, v: v!, ts: Number(ts) }));
  const source = topic('S', { key: string(), value: string(), partitions: 1 });
  const out = topic('O', { key: windowed(string(), Number(size)), value: int64(), partitions: 1 });
  const app = topology('restarted');
  const windows = tumbling(Number(size), { grace: Number(grace) });
  app.stream(source).groupByKey().window(windows).count({ store: 'A' }).toStream().to(out);
  const driver = await TopologyDriver.open(app, { commit: 'on demand' });
  const input = driver.input(source);
  for (const { k, v, ts } of records.slice(0, -1)) input.send(k, v, { timestamp: ts });
  driver.commit();
  await driver.crash();
  const late = records.at(-1)!;
  input.send(late.k, late.v, { timestamp: late.ts });
  if (isDeepStrictEqual(driver.dropped(), { 'aggregate:A late': 1 })) {
    return { kind: 'intended', differences: ['operator-time'] };
  }
  return {
    kind: 'failed',
    differences: [],
    fault: `expected one late record, found ${JSON.stringify(driver.dropped())}`,
  };
}
