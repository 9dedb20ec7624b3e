import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../../core/clock.ts';
import { encodeStep } from '../../../events/events.ts';
import { createFileLog } from '../../../log/file/file.ts';
import { createStateBackend } from '../../../state/state.ts';
import { silentTelemetry } from '../../../telemetry/telemetry.ts';
import { fanOut, ONE, started, sumTo } from '../../../workflows/control/records.fixture.ts';
import { createLanguage, openWorkflows } from '../../../workflows/workflows.ts';

export interface FanOutTrial {
  readonly records: number;
  /** Of each of the two tasks. */
  readonly concurrency: number;
  /** Bound of the rows that the control plane, and the segment, hold in memory; what else there is lies on disk. */
  readonly stateBytes: number;
}

/** What the process holds behind a full collection, in megabytes. */
export interface Held {
  /** Records that have had their execution by then. */
  readonly done: number;
  readonly heap: number;
  /** Buffers outside of the heap. */
  readonly buffers: number;
  readonly resident: number;
}

export interface FanOutReport extends FanOutTrial {
  readonly seconds: number;
  readonly held: readonly Held[];
  /** Most executions for records that were open at once. */
  readonly most: number;
  /** Step records of the parent, and their bytes. */
  readonly steps: number;
  readonly bytes: number;
  readonly faults: readonly string[];
}

const SAMPLES = 10;

/** A workflow with a task for each of many records, on a log and stores on disk; what the process holds meanwhile. */
export async function fanOutTrial({ records, concurrency, stateBytes }: FanOutTrial): Promise<FanOutReport> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-fan-out-'));
  try {
    const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
    const workflows = await openWorkflows({
      ...{ log, state: createStateBackend({}), directory: join(directory, 'state'), clock: systemClock },
      telemetry: silentTelemetry(),
      language: createLanguage({ tasks: { work: async (n) => n } }),
      settings: {
        ...{ partitions: 2, slots: { default: 2 * concurrency } },
        ...{ run: { stateBytes }, segments: { settings: { stateBytes } } },
      },
    });
    await workflows.publish(ONE);
    await workflows.publish(fanOut({ count: records, config: { concurrency, order: 'none' } }));
    const began = systemClock.monotonic();
    const { execution } = await workflows.start('fan', null);
    const isOver = workflows.ended(execution).then(() => true);
    const held: Held[] = [];
    for (let at = 1; at <= SAMPLES; at++) {
      const due = Math.floor((at * records) / SAMPLES);
      while (workflows.figures().ended < due) {
        if (await Promise.race([isOver, systemClock.sleep(5).then(() => false)])) break;
      }
      held.push(holds(workflows.figures().ended));
    }
    const { status, output, error } = await workflows.ended(execution);
    const seconds = Math.round((systemClock.monotonic() - began) / 100) / 10;
    const history = await workflows.history(execution);
    const bytes = history.reduce((sum, each) => sum + encodeStep(each).length, 0);
    const found = await started(log, execution);
    await workflows.drain();
    await log.close();
    const faults: string[] = [];
    const same = (what: string, is: unknown, due: unknown) => {
      if (is !== due) faults.push(`${what}: ${is}, and not ${due}`);
    };
    same('the end', status, 'COMPLETED');
    if (error !== null) faults.push(JSON.stringify(error));
    same('what came out', JSON.stringify(output), JSON.stringify({ all: { all: sumTo(records) } }));
    same('executions', found.ids.size, records);
    same('their starts', found.starts, records);
    same('still open', found.open.size, 0);
    if (found.most > 2 * concurrency) faults.push(`${found.most} were open at once, of ${2 * concurrency}`);
    return { records, concurrency, stateBytes, seconds, held, most: found.most, steps: history.length, bytes, faults };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function holds(done: number): Held {
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { done, heap: megabytes(heapUsed), buffers: megabytes(arrayBuffers), resident: megabytes(rss) };
}

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

function megabytes(bytes: number): number {
  return Math.round(bytes / 104_857.6) / 10;
}
