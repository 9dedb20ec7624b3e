import { rmSync } from 'node:fs';
import { document, tenNodes } from '../../workflows/control/testing/small-documents.ts';
import { openWorld, saturate, tenNodesResult, type World } from './measure.ts';
import { segmentRuns } from './segment-runs.ts';
import { startSteadily } from './steady.ts';

export interface RowOptions {
  /** Executions that count. */
  readonly count: number;
  /** Executions that wait, for `dormant`. */
  readonly dormant: number;
  readonly brokers: string | undefined;
}

export type Figures = { readonly [name: string]: number | string };

/** What each row measures; the outputs of all of them are looked at. */
export const ROWS: { readonly [row: string]: (options: RowOptions) => Promise<Figures> } = {
  'inline-embedded': ({ count }) => throughput('add', count, undefined),
  'inline-kafka': ({ count, brokers }) => throughput('add', count, brokers ?? needBrokers()),
  'task-embedded': ({ count }) => throughput('add-task', Math.ceil(count / 10), undefined),
  'segment-runs': ({ count }) => segmentRuns(Math.ceil(count / 500), 20, undefined),
  'segment-runs-kafka': ({ count, brokers }) => segmentRuns(Math.ceil(count / 1000), 20, brokers ?? needBrokers()),
  latency,
  dormant,
};

const AT_ONCE = 10_000;

/** Ten-node graphs, 10,000 at a time; those before the ones that count warm up. */
async function throughput(type: string, count: number, brokers: string | undefined): Promise<Figures> {
  const world = await openWorld(brokers === undefined ? {} : { brokers });
  try {
    const { workflows } = world;
    await workflows.publish(tenNodes(type));
    const warm = Math.ceil(count / 5);
    await saturate(workflows, 'ten', warm, AT_ONCE);
    await world.allEnded(warm);
    const cpu = process.cpuUsage();
    const began = performance.now();
    await saturate(workflows, 'ten', count, AT_ONCE);
    await world.allEnded(warm + count);
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(cpu);
    const cpuSeconds = (used.user + used.system) / 1e6;
    await world.verify(warm + count, tenNodesResult);
    const nodes = count * 10;
    return {
      executions: count,
      nodesPerSecond: Math.round(nodes / seconds),
      nodesPerCpuSecond: Math.round(nodes / cpuSeconds),
      cpus: Number((cpuSeconds / seconds).toFixed(2)),
    };
  } finally {
    await world.close();
  }
}

/** From the call that starts an execution until its end is known to the caller, at a steady rate. */
async function latency({ count }: RowOptions): Promise<Figures> {
  const seconds = Math.max(2, Math.min(20, count / 5000));
  const world = await openWorld();
  try {
    const three = [
      ['a', 'add', { n: 1 }],
      ['b', 'add', { n: 2 }],
      ['c', 'add', { n: 3 }],
    ] as const;
    await world.workflows.publish(document('three', three, ['a b', 'b c']));
    await world.workflows.publish(tenNodes());
    await saturate(world.workflows, 'three', 5000, 100);
    const fast = await steady(world, 'three', 500, seconds);
    const calm = await steady(world, 'ten', 50, seconds);
    return { p50: fast.p50, p99: fast.p99, tenAt50p50: calm.p50, tenAt50p99: calm.p99 };
  } finally {
    await world.close();
  }
}

async function steady({ workflows }: World, workflow: string, perSecond: number, seconds: number) {
  const times = await startSteadily(perSecond, seconds, async (input) => {
    const { execution } = await workflows.start(workflow, input);
    const { status, output } = await workflows.ended(execution);
    const expected = workflow === 'ten' ? tenNodesResult(input) : { c: input + 6 };
    if (status !== 'COMPLETED' || JSON.stringify(output) !== JSON.stringify(expected)) {
      throw new Error(`${execution} answered ${JSON.stringify(output)}`);
    }
  });
  times.sort((a, b) => a - b);
  const at = (share: number) => Number(times[Math.floor(times.length * share)]!.toFixed(2));
  return { p50: at(0.5), p99: at(0.99) };
}

const WARM_DORMANT = 20_000;

/** Executions that wait for a signal, and a timer each: what they take, and how long a restart does. */
async function dormant({ dormant: count }: RowOptions): Promise<Figures> {
  const nodes = [
    ['a', 'add', { n: 1 }],
    ['wait', 'wait.signal', { name: 'go' }],
    ['b', 'add', { n: 2 }],
  ] as const;
  const policies = { wait: { timeout: { run: '30d' } } };
  const small = { run: { stateBytes: 64 * 1024 * 1024 } };
  let world = await openWorld({}, small);
  const { directory } = world;
  try {
    await world.workflows.publish(document('waits', nodes, ['a wait', 'wait b'], policies));
    // until buffers have the size that they keep
    await saturate(world.workflows, 'waits', WARM_DORMANT, 2000);
    collect();
    const before = process.memoryUsage().rss;
    await saturate(world.workflows, 'waits', count, 2000, (i) => `dormant-${i}`);
    collect();
    const after = process.memoryUsage().rss;
    await world.stop();
    const began = performance.now();
    world = await openWorld({}, small, directory);
    const { execution } = await world.workflows.start('waits', 1, { execution: 'dormant-0' });
    await world.workflows.signal(execution, 'go', 5);
    const { output } = await world.workflows.ended(execution);
    const restartMs = Math.round(performance.now() - began);
    if (JSON.stringify(output) !== '{"b":7}') throw new Error(`it answered ${JSON.stringify(output)}`);
    return { executions: count, bytesPerExecution: Math.round((after - before) / count), restartMs };
  } finally {
    await world.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

function needBrokers(): never {
  throw new Error('a row on Kafka needs --brokers host:port');
}
