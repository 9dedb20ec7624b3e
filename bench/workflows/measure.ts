import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineOptions, openEngine } from '../../cli/wire.ts';
import { systemClock } from '../../core/clock.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { decodeStep, EVENTS_TOPIC } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { ADD, ADD_TASK } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage, openWorkflows, type WorkflowSettings, type Workflows } from '../../workflows/workflows.ts';

/** How soon what has ended is committed, at the latest. */
const COMMITTED_MS: Millis = 10_000;

/** What the rows have in common: an engine in a folder of its own, and executions whose results are looked at. */
export interface World {
  readonly directory: string;
  readonly workflows: Workflows;
  /** Resolves when so many executions have ended since the world was made. */
  allEnded(count: number): Promise<void>;
  /** Holds every execution that has ended since then against what it must answer. */
  verify(count: number, result: (input: number) => unknown): Promise<void>;
  /** As a process ends; the folder stays. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(
  options: EngineOptions = {},
  settings: Partial<WorkflowSettings> = {},
  directory = mkdtempSync(join(tmpdir(), 'nodeflow-workflows-')),
): Promise<World> {
  const engine = await openEngine({ directory, ...options });
  const { log, state, clock, telemetry, stateFolder } = engine;
  const language = createLanguage({ types: [ADD, ADD_TASK] });
  const workflows = await openWorkflows({ log, state, clock, telemetry, language, settings, directory: stateFolder });
  const { partitions } = (await log.admin.describe(EVENTS_TOPIC))!.settings;
  // a cluster may have executions of other rows
  const begins = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => (await log.admin.bounds(EVENTS_TOPIC, partition)).end),
  );
  const stop = async () => {
    await workflows.drain();
    await engine.close();
  };
  return {
    directory,
    workflows,
    async allEnded(count) {
      while (workflows.figures().ended < count) await systemClock.sleep(1);
    },
    verify: (count, result) => verify(log, begins, count, result),
    stop,
    async close() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function verify(
  log: Log,
  begins: readonly Position[],
  count: number,
  result: (input: number) => unknown,
): Promise<void> {
  const late = systemClock.monotonic() + COMMITTED_MS;
  let found = await committed(log, begins);
  // the last steps are committed a moment after they have run
  while (found.outputs.size < count && systemClock.monotonic() < late) {
    await systemClock.sleep(1);
    found = await committed(log, begins);
  }
  const { inputs, outputs } = found;
  if (outputs.size !== count) throw new Error(`${outputs.size} executions have ended, not ${count}`);
  for (const [execution, output] of outputs) {
    const expected = JSON.stringify(result(inputs.get(execution) as number));
    if (output !== expected) throw new Error(`${execution} answered ${output}, not ${expected}`);
  }
}

/** What executions were given, and what those that have ended have answered. */
async function committed(log: Log, begins: readonly Position[]) {
  const inputs = new Map<string, unknown>();
  const outputs = new Map<string, string>();
  for (const [partition, from] of begins.entries()) {
    const visit: Parameters<typeof eachRecord>[3] = ({ bytes, valueStarts, valueEnds }, i) => {
      const { execution, events } = decodeStep(bytes, valueStarts[i]!, valueEnds[i]!);
      for (const event of events) {
        if (event.type === 'started') inputs.set(execution, event.input);
        if (event.type !== 'ended') continue;
        if (outputs.has(execution)) throw new Error(`${execution} has ended twice`);
        outputs.set(execution, JSON.stringify(event.output));
      }
    };
    await eachRecord(log, EVENTS_TOPIC, partition, visit, from);
  }
  return { inputs, outputs };
}

/** Starts so many executions, with at most `atOnce` starts unanswered; resolves when all are answered. */
export async function saturate(
  workflows: Workflows,
  workflow: string,
  count: number,
  atOnce: number,
  nameOf?: (i: number) => string,
): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) {
      const i = next++;
      await workflows.start(workflow, i, nameOf === undefined ? {} : { execution: nameOf(i) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
}

export { tenNodesResult } from '../../workflows/control/testing/small-documents.ts';
