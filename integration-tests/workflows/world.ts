import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { createFileLog } from '../../log/file/file.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { prefixed } from '../../log/kafka/prefixed.fixture.ts';
import type { Log } from '../../log/log.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { NodeType } from '../../workflows/catalog.ts';
import {
  ADD,
  added,
  document,
  numberType,
  tenNodes,
  tenNodesResult,
} from '../../workflows/control/testing/small-documents.ts';
import { createLanguage, openWorkflows, type WorkflowSettings, type Workflows } from '../../workflows/workflows.ts';

export interface Place {
  readonly directory: string;
  /** A cluster in place of the log in the folder, with names of its own there. */
  readonly brokers?: string;
  readonly prefix?: string;
}

export async function openLog({ directory, brokers, prefix }: Place): Promise<Log> {
  if (brokers === undefined) return createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  const log = await createKafkaLog({ brokers, clock: systemClock, random: seededRandom(process.pid) });
  return prefixed(log, prefix!);
}

/** Takes a while, and fails the first time now and then. */
const SLOW = numberType('slow', {
  kind: 'task',
  async run(config, inputs, { attempt, random, signal }) {
    await systemClock.sleep(Math.floor(random() * 20), signal);
    if (attempt === 1 && random() < 0.1) throw new Error('not yet');
    return added(config, inputs);
  },
});

export const DOCUMENTS = [
  tenNodes('add', 'ten'),
  tenNodes('slow', 'tasks'),
  document(
    'waits',
    [
      ['a', 'slow', { n: 1 }],
      ['b', 'delay', { for: '30ms' }],
      ['c', 'wait.signal', { name: 'go' }],
      ['d', 'slow', { n: 5 }],
    ],
    ['a b', 'b c', 'c d'],
  ),
  {
    ...(document(
      'sums',
      [
        ['items', 'map.items', { items: '[input, input + 1, input + 2]' }],
        ['by', 'op.select-key', { key: "value % 2 == 0 ? 'even' : 'odd'", partitions: 2 }],
        ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
        ['all', 'collect', { newest: true }],
      ],
      ['items by', 'by sums', 'sums all'],
    ) as { readonly [name: string]: Json }),
    mode: 'batch',
  },
];

/** Of each execution the workflow that it runs: of every twentieth one that takes records, in lanes that these share. */
export function workflowOf(i: number): string {
  return i % 20 === 19 ? 'sums' : ['ten', 'tasks', 'waits'][i % 3]!;
}

export function resultOf(i: number): Json {
  if (workflowOf(i) === 'sums')
    return { all: { even: i % 2 === 0 ? 2 * i + 2 : i + 1, odd: i % 2 === 0 ? i + 1 : 2 * i + 2 } };
  return workflowOf(i) === 'waits' ? { d: i * 1000 + 5 } : tenNodesResult(i);
}

export function open(place: Place, log: Log): Promise<Workflows> {
  return openAt(place, log, [ADD, SLOW]);
}

export function openAt(
  place: Place,
  log: Log,
  types: readonly NodeType[],
  settings: Partial<WorkflowSettings> = {},
): Promise<Workflows> {
  return openWorkflows({
    log,
    state: createStateBackend({}),
    directory: join(place.directory, 'state'),
    clock: systemClock,
    telemetry: silentTelemetry(),
    language: createLanguage({ types }),
    settings: { partitions: 4, run: { writeBackMs: 50 }, ...settings },
  });
}
