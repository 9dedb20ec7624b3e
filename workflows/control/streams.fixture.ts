import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { readTopic } from '../../runtime/runtime.ts';
import { double, json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { topic } from '../../topology/topology.ts';
import { createLanguage } from '../create-language.ts';
import type { WorkflowDocument } from '../document.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import type { ExecutionView, Workflows } from '../workflows.ts';

/** Streaming workflows over a topic of orders, and what holds of their sums. */

export function memory(seed = 1): Log {
  return createMemoryLog({ clock: systemClock, random: seededRandom(seed) });
}

export async function open(log: Log, directory?: string): Promise<Workflows> {
  const settings = { partitions: 2, segments: { settings: { commitIntervalMs: 5, idleMs: 20 } } };
  const host = { log, state: createStateBackend({}), directory, clock: systemClock, telemetry: silentTelemetry() };
  const workflows = await openWorkflows({ ...host, language: createLanguage(), settings });
  while (!workflows.health().ready) await systemClock.sleep(5);
  return workflows;
}

/** For as long as the body takes. */
export async function served(body: (log: Log, workflows: Workflows) => Promise<void>): Promise<void> {
  const log = memory();
  const workflows = await open(log);
  try {
    await body(log, workflows);
  } finally {
    await workflows.drain();
  }
}

const ORDERS = { name: 'orders', partitions: 2, key: string(), value: json() };
const SUMS = topic('sums', { key: string(), value: double(), partitions: 2 });

/** One record for each total, of one of three customers. */
export function put(log: Log, ...totals: readonly number[]): Promise<void> {
  return putRecords(
    log,
    ORDERS,
    totals.map((total) => ({ key: customerOf(total), value: { total }, timestamp: total * 1000 })),
  );
}

function customerOf(total: number): string {
  return `c${total % 3}`;
}

/** Sums of totals by customer, over a repartition; each change of one goes out. `more` stands before the sums. */
export function sums(version: string, ...more: readonly [id: string, type: string, config: Record<string, Json>][]) {
  const ids = ['orders', ...more.map(([id]) => id), 'by', 'sums'];
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders', partitions: 2 }],
      ...more,
      ['by', 'op.select-key', { key: 'key', partitions: 2 }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value.total' }],
      ['out', 'sink.topic', { topic: 'sums', value: 'double', partitions: 2 }],
      ['all', 'collect', { newest: true }],
      ['customers', 'expression', { value: '= size(value)' }],
    ],
    [...ids.slice(1).map((id, i) => `${ids[i]} > ${id}`), 'sums > out', 'sums > all', 'all > customers'],
  );
  return { ...document, version, mode: 'streaming' } satisfies WorkflowDocument;
}

/** What stands in the topic of sums, by customer, in order. */
export async function changes(log: Log): Promise<{ readonly [customer: string]: readonly number[] }> {
  const found: { [customer: string]: number[] } = {};
  await readTopic(log, SUMS, (value, key) => {
    found[key as string] ??= [];
    found[key as string]!.push(value as number);
  });
  return found;
}

/** What would stand there if the job had never stopped: each record has changed the sum of its customer once. */
export function expected(totals: readonly number[]): { readonly [customer: string]: readonly number[] } {
  const found: { [customer: string]: number[] } = {};
  for (const total of totals) {
    const customer = customerOf(total);
    found[customer] ??= [];
    found[customer]!.push((found[customer]!.at(-1) ?? 0) + total);
  }
  return found;
}

export async function topicsOf(log: Log, execution: string): Promise<readonly string[]> {
  return (await log.admin.list()).filter((name) => name.includes(`wf.${execution}`));
}

/** Until what was put has arrived: as many changes as there were records. */
export async function arrived(log: Log, count: number): Promise<void> {
  for (;;) {
    const there = await log.admin.describe('sums');
    const found = there === undefined ? {} : await changes(log);
    if (Object.values(found).reduce((sum, each) => sum + each.length, 0) >= count) return;
    await systemClock.sleep(5);
  }
}

/** Until the view of an execution is as it is waited for. */
export async function seen(
  workflows: Workflows,
  id: string,
  holds: (view: ExecutionView) => boolean,
): Promise<ExecutionView> {
  for (;;) {
    const view = await workflows.execution(id);
    if (view !== undefined && holds(view)) return view;
    await systemClock.sleep(10);
  }
}
