import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineOptions, openEngine } from '../../cli/wire.ts';
import { decodeStep, EVENTS_TOPIC } from '../../events/events.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { ADD, ADD_TASK, tenNodesResult } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage, openWorkflows, type WorkflowSettings, type Workflows } from '../../workflows/workflows.ts';

/** What the rows have in common: an engine in a folder of its own, and executions whose results are looked at. */
export interface World {
  readonly workflows: Workflows;
  /** Holds every execution that has ended against what it must answer. */
  verify(count: number, result: (input: number) => unknown): Promise<void>;
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
  return {
    workflows,
    async verify(count, result) {
      const inputs = new Map<string, unknown>();
      const outputs = new Map<string, string>();
      const partitions = (await log.admin.describe(EVENTS_TOPIC))!.settings.partitions;
      for (let partition = 0; partition < partitions; partition++) {
        await eachRecord(log, EVENTS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
          const { execution, events } = decodeStep(bytes, valueStarts[i]!, valueEnds[i]!);
          for (const event of events) {
            if (event.type === 'started') inputs.set(execution, event.input);
            if (event.type !== 'ended') continue;
            if (outputs.has(execution)) throw new Error(`${execution} has ended twice`);
            outputs.set(execution, JSON.stringify(event.output));
          }
        });
      }
      if (outputs.size !== count) throw new Error(`${outputs.size} executions have ended, not ${count}`);
      for (const [execution, output] of outputs) {
        const expected = JSON.stringify(result(inputs.get(execution) as number));
        if (output !== expected) throw new Error(`${execution} answered ${output}, not ${expected}`);
      }
    },
    async close() {
      await workflows.drain();
      await engine.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts so many executions, with at most `atOnce` unanswered, and waits until all have ended. */
export async function saturate(workflows: Workflows, workflow: string, count: number, atOnce: number): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await workflows.start(workflow, next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
}

export { tenNodesResult };
