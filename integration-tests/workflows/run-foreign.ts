import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { InlineContext, TaskContext } from '../../workflows/catalog.ts';
import type { WorkflowDocument } from '../../workflows/document.ts';
import { createLanguage, NodeFailure, openWorkflows, type Workflows } from '../../workflows/workflows.ts';
import type { ForeignCase, ForeignRun, Told } from './foreign-case.ts';

/** Runs foreign cases on a real engine with the log in memory. */
export interface ForeignRunner {
  /** What came, in our words. Functions run within the step, or as tasks beside the loop. */
  run(one: ForeignCase, run: ForeignRun, functions: 'function' | 'task'): Promise<Required<Told>>;
  close(): Promise<void>;
}

export async function openForeignRunner(): Promise<ForeignRunner> {
  const runs = new Map<string, ForeignRun>();
  const functions = { pass, fail, failIf, raise, sequence, outcome: outcomeOf(runs) };
  const tasks = Object.fromEntries(
    Object.entries<InlineFunction>(functions).map(([name, run]) => [
      name,
      async (argument: Json, context: TaskContext) => run(argument, context),
    ]),
  );
  const workflows = await openWorkflows({
    log: createMemoryLog({ clock: systemClock, random: seededRandom(1) }),
    ...{ state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    language: createLanguage({ functions, tasks }),
    settings: { partitions: 1 },
  });
  let count = 0;
  return {
    async run(one, run, type) {
      for (const document of one.others ?? []) await workflows.publish(document);
      const { id } = await workflows.publish(type === 'function' ? one.document : withTasks(one.document));
      const execution = `foreign-${count++}`;
      runs.set(execution, run);
      const select = run.select === undefined ? {} : { select: { nodes: run.select, closure: 'ancestors' as const } };
      await workflows.start(id, run.input, { execution, ...select });
      return told(workflows, execution);
    },
    async close() {
      await workflows.drain();
    },
  };
}

type InlineFunction = (argument: Json, context: InlineContext) => Json;

function withTasks(document: WorkflowDocument): WorkflowDocument {
  const nodes = document.nodes.map((node) => (node.type === 'function' ? { ...node, type: 'task' } : node));
  return { ...document, id: `${document.id}-tasks`, nodes };
}

async function told(workflows: Workflows, execution: string): Promise<Required<Told>> {
  const view = await workflows.ended(execution);
  const causes = new Map<string, string>();
  const order: string[] = [];
  for (const { events, definition } of await workflows.history(execution)) {
    const names = workflows.names(definition);
    for (const event of events) {
      if (event.type !== 'node' || event.iteration !== '') continue;
      const id = names.id(event.node);
      causes.set(id, event.cause);
      if (event.to === 'COMPLETED') order.push(id);
    }
  }
  const atTop = view.nodes.filter(({ iteration }) => iteration === '');
  const statusOf = ({ id, status }: (typeof atTop)[number]) =>
    status === 'CANCELLED' ? `CANCELLED ${causes.get(id)}` : status;
  return {
    status: view.degraded ? `${view.status} degraded` : view.status,
    nodes: Object.fromEntries(atTop.map((node) => [node.id, statusOf(node)])),
    outputs: Object.fromEntries(atTop.map(({ id, outputs }) => [id, outputs['out'] ?? null])),
    ...{ output: view.output, error: view.error, order },
  };
}

function pass(): Json {
  return null;
}

function fail(): never {
  throw new NodeFailure('PERMANENT', 'exit-1', 'it is to fail');
}

function failIf(argument: Json): Json {
  return argument === true ? fail() : argument;
}

/** An error of its own. */
function raise(argument: Json): never {
  const { status, type, title } = argument as {
    readonly status: number;
    readonly type: string;
    readonly title: string;
  };
  throw new NodeFailure('PERMANENT', type, title, { detail: { status } });
}

/** Numbers from `start` (0) to `end` with it, or `count` of them; downwards where the end lies below. */
function sequence(argument: Json): Json {
  const { start = 0, end, count } = argument as { readonly [name: string]: number };
  const length = count ?? Math.abs(end! - start) + 1;
  const step = end !== undefined && end < start ? -1 : 1;
  return Array.from({ length }, (_, i) => start + i * step);
}

/** What the run says of a node. */
function outcomeOf(runs: ReadonlyMap<string, ForeignRun>): InlineFunction {
  return (_, { execution, node, attempt }) => {
    const outcome = runs.get(execution)?.outcomes?.[node];
    if (outcome === undefined) return null;
    if ('gives' in outcome) return outcome.gives;
    return outcome.fails === true || attempt <= outcome.fails ? fail() : null;
  };
}
