import type { NamedEvent } from '../events/events.ts';
import type { ExecutionView, RecordFigures } from '../workflows/workflows.ts';
import { columnsOf } from './columns.ts';
import type { Call } from './command.ts';
import type { World } from './world.ts';

/** An execution with its nodes, and what somebody has to say for it to go on. */
export function show(view: ExecutionView, call: Call, world: World): void {
  if (call.json) {
    world.out(JSON.stringify(view));
    return;
  }
  world.out(
    `${view.id}: ${view.workflow} ${view.version}, ${view.status}${view.degraded ? ', degraded' : ''}, step ${view.seq}`,
  );
  if (view.continues !== null) world.out(`  goes on from ${view.continues}`);
  if (view.continuedBy !== null) world.out(`  at a savepoint; ${view.continuedBy} goes on from there, or may`);
  const { segments = [], executions = [] } = view.kept ?? {};
  if (segments.length > 0) world.out(`  it holds the segments of ${segments.join(', ')}`);
  if (executions.length > 0) world.out(`  it holds the executions ${executions.join(', ')}`);
  if (view.error !== null) world.out(`  failed: ${JSON.stringify(view.error)}`);
  if (view.output !== null) world.out(`  output: ${JSON.stringify(view.output)}`);
  const rows = view.nodes.map(({ id, type, iteration, status, attempt, since, wait, figures }) => ({
    ...{
      node: iteration === '' ? id : `${id} [${iteration}]`,
      type,
      status,
      attempt,
      since: new Date(since).toISOString(),
      waits: wait?.on === 'segment' ? `segment of ${wait.token}` : wait?.on,
    },
    ...(figures === null ? {} : recordColumns(figures)),
  }));
  const records = view.nodes.some(({ figures }) => figures !== null) ? ['in', 'out', 'left out'] : [];
  for (const line of columnsOf(['node', 'type', 'status', 'attempt', 'since', 'waits', ...records], rows)) {
    world.out(line);
  }
  for (const { id, iteration, wait, error } of view.nodes) {
    if (wait?.on === 'approval') world.out(`${id} waits for somebody: nodeflow execution approve '${wait.token}'`);
    if (wait?.on === 'intervention') {
      const why = (error as { readonly message?: string } | null)?.message ?? 'it has failed';
      const within = iteration === '' ? '' : ` --iteration ${iteration}`;
      world.out(`${id} is held: ${why}`);
      world.out(`  nodeflow execution intervene ${view.id} ${id} retry|output|skip|fail${within}`);
    }
  }
}

/** Of a node of the data plane: what came in and went out, and what did neither, by reason. */
function recordColumns({ in: taken, out, filtered, dropped, deadLetters }: RecordFigures) {
  const left = { filtered, ...dropped, 'dead letters': deadLetters };
  const told = Object.entries(left).filter(([, count]) => count > 0);
  return { in: taken, out, 'left out': told.map(([reason, count]) => `${count} ${reason}`).join(', ') || undefined };
}

/** An event as a line. */
export function eventLine({ at: time, execution: id, type, node, iteration, data }: NamedEvent): string {
  const where = node === null ? '' : ` ${node}${iteration === '' ? '' : `[${iteration}]`}`;
  const what =
    type === 'NODE_STATE_CHANGED'
      ? `${data['from'] ?? 'new'} > ${data['to']} (${data['cause']})`
      : `${type} ${JSON.stringify(data)}`;
  return `${new Date(time).toISOString()} ${id}${where} ${what}`;
}
