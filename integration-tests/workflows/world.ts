import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createFileLog } from '../../log/file/file.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { prefixed } from '../../log/kafka/prefixed.fixture.ts';
import type { Log } from '../../log/log.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { Behaviour } from '../../workflows/catalog.ts';
import { document, SMALL_TYPES, tenNodes } from '../../workflows/control/testing/small-documents.ts';
import { smallLanguage } from '../../workflows/control/testing/small-language.ts';
import { openWorkflows, type Workflows } from '../../workflows/workflows.ts';

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
const slow: Behaviour = {
  kind: 'task',
  async run(config, inputs, { attempt, random, signal }) {
    await systemClock.sleep(Math.floor(random() * 20), signal);
    if (attempt === 1 && random() < 0.1) throw new Error('not yet');
    const task = SMALL_TYPES['task'] as Extract<Behaviour, { kind: 'task' }>;
    return task.run(config, inputs, undefined as never);
  },
};

export const DOCUMENTS = [
  tenNodes('add', 'ten'),
  tenNodes('slow', 'tasks'),
  document(
    'waits',
    [
      ['a', 'slow', { n: 1 }],
      ['b', 'delay', { ms: 30 }],
      ['c', 'signal', null],
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
    language: smallLanguage({ ...SMALL_TYPES, slow }),
    settings: { partitions: 4, run: { writeBackMs: 50 } },
  });
}
