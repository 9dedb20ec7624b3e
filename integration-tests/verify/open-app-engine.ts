import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { failpointFromText, setFailpointHook } from '../../core/failpoints.ts';
import { seededRandom } from '../../core/random.ts';
import { type Engine, openEngine, type Telemetry } from '../../index.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { createStateBackend } from '../../state/state.ts';

/** Where a process of the job finds its log and keeps its stores. */
export interface AppEngine {
  readonly directory: string;
  /** On Kafka; else the file log of the folder. */
  readonly kafka?: { readonly brokers: string; readonly patienceMs: number };
}

export async function openAppEngine({ directory, kafka }: AppEngine, telemetry: Telemetry): Promise<Engine> {
  if (kafka === undefined) return openEngine({ directory, telemetry });
  const failpoint = process.env['NODEFLOW_FAILPOINT'];
  if (failpoint !== undefined) setFailpointHook(failpointFromText(failpoint));
  const log = await createKafkaLog({ ...kafka, clock: systemClock, random: seededRandom(process.pid) });
  const state = createStateBackend({ onUnavailable: (message) => telemetry.log.warn({}, message) });
  return {
    log,
    state,
    telemetry,
    clock: systemClock,
    stateFolder: join(directory, 'state'),
    async close() {
      await state.close();
      await log.close();
    },
  };
}
