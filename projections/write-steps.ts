import type { Json } from '../core/ids.ts';
import type { Database } from '../database/database.ts';
import type { FailureInfo, NodeStatus, PlacedStep, StepEvent, StepRecord } from '../events/events.ts';

type Query = Database['query'];

/** What a batch of steps has made of one execution. */
interface Change {
  readonly execution: string;
  readonly part: number;
  readonly first: number;
  last: number;
  seq: number;
  started: Extract<StepEvent, { type: 'started' }> | undefined;
  startedAt: number;
  ended: Extract<StepEvent, { type: 'ended' }> | undefined;
  endedAt: number | null;
  /** Added to the counts that are there. */
  readonly counts: Map<NodeStatus, number>;
}

interface Known {
  readonly id: string;
  readonly seq: number;
  readonly workflow: string;
  readonly version: string;
  readonly status: string;
  readonly degraded: boolean;
  readonly mode: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly by_user: string | null;
  readonly labels: { readonly [name: string]: string };
  readonly counts: { readonly [status: string]: number };
  readonly error: Json;
  readonly part: number;
  readonly first_position: number;
}

/** Writes what steps tell; those that an execution's row has seen already change nothing. */
export async function writeSteps(query: Query, steps: readonly PlacedStep[]): Promise<void> {
  if (steps.length === 0) return;
  const known = await knownRows(query, steps);
  const changes = new Map<string, Change>();
  for (const step of steps) {
    const { record } = step;
    const change = changes.get(record.execution) ?? newChange(step, known.get(record.execution));
    changes.set(record.execution, change);
    if (record.seq <= change.seq) continue;
    change.seq = record.seq;
    change.last = step.position;
    for (const event of record.events) take(change, record, event);
  }
  const rows = [...changes.values()]
    .filter(({ execution, seq }) => seq > (known.get(execution)?.seq ?? 0))
    .map((change) => rowOf(change, known.get(change.execution)))
    .filter((row) => row !== undefined);
  await putRows(query, rows);
}

async function knownRows(query: Query, steps: readonly PlacedStep[]): Promise<ReadonlyMap<string, Known>> {
  const ids = [...new Set(steps.map(({ record }) => record.execution))];
  const rows = await query<Known>('select * from nf_executions where id = any($1::text[]) for update', [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

function newChange({ record, partition, position }: PlacedStep, known: Known | undefined): Change {
  return {
    execution: record.execution,
    part: known?.part ?? partition,
    first: known?.first_position ?? position,
    last: position,
    seq: known?.seq ?? 0,
    started: undefined,
    startedAt: 0,
    ended: undefined,
    endedAt: null,
    counts: new Map(),
  };
}

function take(change: Change, { at }: StepRecord, event: StepEvent): void {
  if (event.type === 'started') {
    change.started = event;
    change.startedAt = at;
  } else if (event.type === 'ended') {
    change.ended = event;
    change.endedAt = at;
  } else if (event.type === 'node') {
    const { counts } = change;
    // every node is PENDING before anything is told of it, so that state is counted nowhere
    if (event.from !== null && event.from !== 'PENDING') counts.set(event.from, (counts.get(event.from) ?? 0) - 1);
    if (event.to !== 'PENDING') counts.set(event.to, (counts.get(event.to) ?? 0) + 1);
  }
}

/** In the order of {@link COLUMNS}; undefined: of a rejected start there is nothing to list. */
function rowOf(change: Change, known: Known | undefined): readonly unknown[] | undefined {
  const { started, ended } = change;
  if (started === undefined && known === undefined) return undefined;
  const workflow = started?.workflow ?? known!.workflow;
  const user = started === undefined ? known!.by_user : started.user;
  const labels = started?.labels ?? known!.labels;
  const error: FailureInfo | Json = ended === undefined ? (known?.error ?? null) : (ended.error as unknown as Json);
  const counts: { [status: string]: number } = { ...known?.counts };
  for (const [status, count] of change.counts) {
    const now = (counts[status] ?? 0) + count;
    if (now === 0) delete counts[status];
    else counts[status] = now;
  }
  const message = (error as FailureInfo | null)?.message ?? '';
  const words = [change.execution, workflow, user ?? '', ...Object.entries(labels).flat(), message];
  return [
    change.execution,
    workflow,
    started?.version ?? known!.version,
    ended?.status ?? known?.status ?? 'RUNNING',
    ended?.degraded ?? known?.degraded ?? false,
    started?.mode ?? known!.mode,
    started === undefined ? known!.started_at : change.startedAt,
    change.endedAt ?? known?.ended_at ?? null,
    user,
    JSON.stringify(labels),
    JSON.stringify(counts),
    error === null ? null : JSON.stringify(error),
    change.seq,
    change.part,
    change.first,
    change.last,
    words.join(' '),
  ];
}

const COLUMNS = [
  ['id', 'text'],
  ['workflow', 'text'],
  ['version', 'text'],
  ['status', 'text'],
  ['degraded', 'boolean'],
  ['mode', 'text'],
  ['started_at', 'bigint'],
  ['ended_at', 'bigint'],
  ['by_user', 'text'],
  ['labels', 'jsonb'],
  ['counts', 'jsonb'],
  ['error', 'jsonb'],
  ['seq', 'bigint'],
  ['part', 'integer'],
  ['first_position', 'bigint'],
  ['last_position', 'bigint'],
  ['search', 'text'],
] as const;

/** All rows in one statement, a column an array: the server plans it once for any number of rows. */
const PUT_ROWS = `insert into nf_executions (${COLUMNS.map(([name]) => name).join(', ')})
  select ${COLUMNS.map(([name, type]) => (name === 'search' ? `to_tsvector('simple', ${name})` : `${name}::${type}`)).join(', ')}
  from unnest(${COLUMNS.map(([, type], i) => `$${i + 1}::${type === 'jsonb' ? 'text' : type}[]`).join(', ')})
    as rows (${COLUMNS.map(([name]) => name).join(', ')})
  on conflict (id) do update set ${COLUMNS.slice(1)
    .map(([name]) => `${name} = excluded.${name}`)
    .join(', ')}`;

async function putRows(query: Query, rows: readonly (readonly unknown[])[]): Promise<void> {
  if (rows.length === 0) return;
  await query(
    PUT_ROWS,
    COLUMNS.map((_, i) => rows.map((row) => row[i])),
  );
}
