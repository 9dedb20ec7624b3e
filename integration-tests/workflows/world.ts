import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createFileLog } from '../../log/file/file.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { prefixed } from '../../log/kafka/prefixed.fixture.ts';
import type { Log } from '../../log/log.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { ADD, added, document, numberType, tenNodes } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage, openWorkflows, type Workflows } from '../../workflows/workflows.ts';

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
];

export async function open(place: Place, log: Log): Promise<Workflows> {
  return openWorkflows({
    log,
    state: createStateBackend({}),
    directory: join(place.directory, 'state'),
    clock: systemClock,
    telemetry: silentTelemetry(),
    language: createLanguage({ types: [ADD, SLOW] }),
    settings: { partitions: 4, run: { writeBackMs: 50 } },
  });
}
