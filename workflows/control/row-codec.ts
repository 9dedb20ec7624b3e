import type { Json, Millis } from '../../core/ids.ts';
import { LAST, STATUSES } from '../../events/events.ts';
import type { Header, NodeRow, RowTimer } from '../lifecycle/lifecycle.ts';

/** Rows of executions that wait, as JSON lists: in order, without names, nothing behind the last thing of note. */

const PHASES: readonly Header['phase'][] = ['running', 'paused', 'cancelling', 'compensating', 'ended'];
const MODES: readonly Header['mode'][] = ['realtime', 'batch', 'streaming'];

/** A flag; stored rows may have the bit below it set, which says nothing. */
const SIGNALS = 2;

/** A header, and what else is known of the execution as a whole. */
export interface StoredHeader {
  readonly header: Header;
  /** The time of its last step. */
  readonly at: Millis;
  /** There are signals that nobody has taken. */
  readonly signals: boolean;
  /** What rows of before held of a partial execution, which has rows of its own now. */
  readonly selected?: readonly number[];
  readonly pins?: { readonly [id: string]: Json };
}

export function encodeHeader({ header, at, signals }: Omit<StoredHeader, 'selected' | 'pins'>): Json {
  const { counts } = header;
  return [
    1,
    at,
    signals ? SIGNALS : 0,
    header.workflow,
    header.version,
    header.definition,
    header.revision,
    header.seq,
    STATUSES.indexOf(header.status),
    PHASES.indexOf(header.phase),
    MODES.indexOf(header.mode),
    header.startedAt,
    header.priority,
    STATUSES.map((status) => counts[status]),
    header.lastCommands,
    header.input,
    header.user,
    header.deadline,
    header.labels,
    header.parent,
    header.isPartial ? 1 : 0,
    header.hasPins ? 1 : 0,
    header.degraded ? 1 : 0,
    header.error as Json,
    header.compensable,
    header.listening,
    header.deferred,
    header.timers as unknown as Json,
    header.ending ? 1 : 0,
    header.savepoint as unknown as Json,
    header.continues as unknown as Json,
    header.session as unknown as Json,
    encodePast(header.past),
  ];
}

export function decodeHeader(execution: string, stored: Json): StoredHeader {
  const list = stored as readonly unknown[];
  const counted = list[13] as readonly number[];
  const counts = Object.fromEntries(STATUSES.map((status, i) => [status, counted[i]!])) as Header['counts'];
  return {
    at: list[1] as number,
    signals: ((list[2] as number) & SIGNALS) !== 0,
    header: {
      execution,
      workflow: list[3] as string,
      version: list[4] as string,
      definition: list[5] as string,
      revision: list[6] as number,
      seq: list[7] as number,
      status: STATUSES[list[8] as number]!,
      phase: PHASES[list[9] as number]!,
      mode: MODES[list[10] as number]!,
      startedAt: list[11] as number,
      priority: list[12] as number,
      counts,
      lastCommands: list[14] as readonly string[],
      input: list[15] as Json,
      user: list[16] as string | null,
      deadline: list[17] as number | null,
      labels: list[18] as Header['labels'],
      parent: list[19] as Header['parent'],
      // rows of before hold what was selected, and the pins; null: none
      isPartial: list[20] === 1 || Array.isArray(list[20]),
      hasPins: list[21] === 1 || isObject(list[21]),
      degraded: list[22] === 1,
      error: list[23] as Header['error'],
      compensable: list[24] as readonly string[],
      listening: list[25] as readonly string[],
      deferred: list[26] as readonly string[],
      timers: list[27] as readonly RowTimer[],
      ending: list[28] === 1,
      savepoint: (list[29] ?? null) as Header['savepoint'],
      continues: (list[30] ?? null) as Header['continues'],
      session: (list[31] ?? null) as Header['session'],
      past: decodePast(list[32]),
    },
    ...(Array.isArray(list[20]) ? { selected: list[20] as readonly number[] } : {}),
    ...(isObject(list[21]) ? { pins: list[21] as { readonly [id: string]: Json } } : {}),
  };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Rows of before have none; 0: no node is gone. */
function encodePast(past: Header['past']): Json {
  if (past === null) return null;
  const list = LAST.map((status) => past[status]);
  return list.every((count) => count === 0) ? 0 : list;
}

function decodePast(stored: unknown): Header['past'] {
  if (stored === undefined || stored === null) return null;
  const [COMPLETED, FAILED, CANCELLED] = (stored === 0 ? [0, 0, 0] : stored) as [number, number, number];
  return { COMPLETED, FAILED, CANCELLED };
}

/** Node rows and outputs of some nodes of one iteration. */
export interface Page {
  readonly nodes: Map<number, NodeRow>;
  /** By node, then port; undefined: it lies in a row of its own. */
  readonly outputs: Map<number, Map<string, Json | undefined>>;
  changed: boolean;
}

export function emptyPage(): Page {
  return { nodes: new Map(), outputs: new Map(), changed: false };
}

export function encodePage(page: Page): Json {
  return [[...page.nodes].map(([node, row]) => [node, ...encodeNode(row)]), [...page.outputs].map(encodeOutputs)];
}

function encodeOutputs([node, ports]: readonly [number, ReadonlyMap<string, Json | undefined>]): Json {
  return [node, [...ports].map(([port, value]) => (value === undefined ? [port] : [port, value]))];
}

export function decodePage(stored: Json): Page {
  const [nodes, outputs] = stored as unknown as [
    readonly (readonly [number, ...Json[]])[],
    readonly (readonly [number, readonly (readonly [string, Json?])[]])[],
  ];
  return {
    nodes: new Map(nodes.map(([node, ...row]) => [node, decodeNode(row)])),
    outputs: new Map(outputs.map(([node, ports]) => [node, new Map(ports.map(([port, value]) => [port, value]))])),
    changed: false,
  };
}

function encodeNode(row: NodeRow): readonly Json[] {
  const { failures, system, timers, lost } = row;
  const head = [STATUSES.indexOf(row.status), row.cause, row.attempt, row.since, row.told, row.taken];
  const rare = [row.wait, row.error as Json, row.iterations as unknown as Json, row.checkpoint];
  const isUsual = failures === 0 && system === 0 && timers.length === 0;
  if (isUsual && rare.every((each) => each === null)) return head;
  const whole = [...head, failures, system, ...rare, timers as unknown as Json];
  return lost === 0 ? whole : [...whole, lost];
}

function decodeNode(list: readonly Json[]): NodeRow {
  return {
    status: STATUSES[list[0] as number]!,
    cause: list[1] as NodeRow['cause'],
    attempt: list[2] as number,
    since: list[3] as number,
    told: list[4] as readonly number[],
    taken: list[5] as readonly number[],
    failures: (list[6] ?? 0) as number,
    system: (list[7] ?? 0) as number,
    wait: (list[8] ?? null) as NodeRow['wait'],
    error: (list[9] ?? null) as NodeRow['error'],
    iterations: (list[10] ?? null) as unknown as NodeRow['iterations'],
    checkpoint: (list[11] ?? null) as NodeRow['checkpoint'],
    timers: (list[12] ?? []) as unknown as readonly RowTimer[],
    lost: (list[13] ?? 0) as number,
  };
}
