import { type Clock, systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { decodeStep, EVENTS_TOPIC, type StepRecord } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import type { PolicySpec, WorkflowDocument } from '../document.ts';
import type { TaskFunction } from '../nodes/functions.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import type { Workflows } from '../workflows.ts';

/** Workflows that start another one for each of many records, and what the log says of those. */

export function memory(): Log {
  return createMemoryLog({ clock: systemClock, random: seededRandom(1) });
}

/** `work` is what the task of the workflow for each record does. */
export async function open(
  log: Log,
  work: TaskFunction = async (n) => n,
  clock: Clock = systemClock,
): Promise<Workflows> {
  const host = { log, state: createStateBackend({}), directory: undefined, clock };
  return openWorkflows({
    ...{ ...host, telemetry: silentTelemetry(), language: createLanguage({ tasks: { work } }) },
    // a segment tells of transitions alone, however long it takes
    settings: { partitions: 2, segments: { settings: { commitIntervalMs: 5, idleMs: 20 }, tellEveryMs: 3_600_000 } },
  });
}

/** What is started for each record: a task, and an expression behind it. */
export const ONE: WorkflowDocument = {
  ...documentOf(
    [
      ['done', 'task', { name: 'work', argument: '= input' }],
      ['answer', 'expression', { value: '= value' }],
    ],
    ['done > answer'],
  ),
  id: 'one',
  outputs: { n: '= nodes.answer.out' },
};

export interface FanOut {
  readonly count: number;
  readonly config?: { readonly [name: string]: Json };
  readonly policy?: PolicySpec;
  /** Default: their sum. */
  readonly collects?: boolean;
}

/** Made-up records, each with what `one` answers for it, and the sum of these. */
export function fanOut({ count, config = {}, policy, collects = false }: FanOut): WorkflowDocument {
  const document = documentOf(
    [
      ['numbers', 'source.generator', { count, splits: 2, make: "{'n': index}", key: "'k' + string(value.n % 7.0)" }],
      ['each', 'op.workflow', { workflow: 'one', input: 'value.n', concurrency: 8, ...config }],
      ...(collects
        ? ([['all', 'collect']] as const)
        : ([
            ['by', 'op.select-key', { key: "'all'" }],
            ['sum', 'op.aggregate', { function: 'sum', of: 'value.n' }],
            ['all', 'collect', { newest: true }],
          ] as const)),
    ],
    ['numbers > each', ...(collects ? ['each > all'] : ['each > by', 'by > sum', 'sum > all'])],
  );
  const nodes = document.nodes.map((node) =>
    node.id === 'each' && policy !== undefined ? { ...node, data: { ...node.data, policy } } : node,
  );
  return { ...document, id: 'fan', mode: 'batch', nodes };
}

export const sumTo = (count: number): number => (count * (count - 1)) / 2;

/** Step records of all executions, those of a partition in their order. */
export async function steps(log: Log): Promise<readonly StepRecord[]> {
  const { partitions } = (await log.admin.describe(EVENTS_TOPIC))!.settings;
  const found: StepRecord[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(log, EVENTS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
      const record = decodeStep(bytes, valueStarts[i]!, valueEnds[i]!);
      if (record.seq > 0) found.push(record);
    });
  }
  return found;
}

export interface Started {
  /** Ids of all that were started for records. */
  readonly ids: ReadonlySet<string>;
  /** How often each was. */
  readonly starts: number;
  readonly open: ReadonlySet<string>;
  /** Most that were open at once. */
  readonly most: number;
  readonly statuses: ReadonlyMap<string, string>;
}

/** What the log says of executions that `each` of an execution has started. */
export async function started(log: Log, parent: string): Promise<Started> {
  const ids = new Set<string>();
  const statuses = new Map<string, string>();
  const open = new Set<string>();
  let starts = 0;
  let most = 0;
  for (const { execution, events } of await steps(log)) {
    if (!execution.startsWith(`${parent}/each~`)) continue;
    for (const event of events) {
      if (event.type === 'started') {
        starts++;
        ids.add(execution);
        open.add(execution);
        most = Math.max(most, open.size);
      } else if (event.type === 'ended') {
        open.delete(execution);
        statuses.set(execution, event.status);
      }
    }
  }
  return { ids, starts, open, most, statuses };
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (await holds()) return;
    await systemClock.sleep(5);
  }
  throw new Error('it never comes to that');
}
