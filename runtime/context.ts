import type { KeptNumbers, Outputs } from '../checkpoints/checkpoints.ts';
import type { Step } from '../core/step.ts';
import {
  type Caller,
  NO_ALARM,
  type OperatorClock,
  type OperatorContext,
  type Output,
  OwnClock,
  type Push,
  type StoreSerdes,
} from '../operators/operators.ts';
import type { Table, TaskState } from '../state/state.ts';
import { type CodeRef, type CodeRole, functionOf, type PlanNode } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import type { TaskCalls } from './calls.ts';
import type { Drops } from './drops.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { ScanRequests } from './scan-requests.ts';
import { createSink } from './sink.ts';
import type { PlanIndex } from './stage.ts';
import type { StageClock } from './stage-clock.ts';
import type { Timers } from './timers.ts';

export interface ContextParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly partition: number;
  readonly step: Step;
  readonly state: TaskState;
  /** Copies of global tables, by store. */
  readonly globals: ReadonlyMap<string, Table>;
  readonly numbers: KeptNumbers;
  readonly outputs: Outputs;
  readonly drops: Drops;
  readonly scans: ScanRequests;
  readonly timers: Timers;
  /** The clock of the stage, where all its operators go by one. */
  readonly clock: StageClock | undefined;
  /** Where the late records of the node go, if anywhere. */
  readonly late: Push | undefined;
  readonly calls: TaskCalls;
  readonly mailboxes: Mailboxes;
  /** The largest record each topic takes. */
  maxRecordBytes(topic: string): number;
  now(): number;
  /** Told whose code it is before each call of user code, and after it, while a failure is looked into; see `build.ts`. */
  readonly trace: ((node: string | undefined) => void) | undefined;
}

/** What the task lends to the operator of one node. */
export function createContext(parts: ContextParts, node: PlanNode): OperatorContext {
  const { program, index, step, state, numbers, drops, scans, timers, calls, mailboxes, clock, trace } = parts;
  const { code } = program;
  const place = index.plan.nodes.indexOf(node);
  return {
    step,
    fn<F>(role: CodeRole, ref: CodeRef, owner: PlanNode = node): F {
      const fn = functionOf(program, owner, role, ref);
      return (trace === undefined ? fn : traced(fn, owner.id, trace)) as F;
    },
    serde: (name) => code.serde(name),
    table: (store) => parts.globals.get(store) ?? state.table(store),
    storeSerdes: (store) => storeSerdes(parts, store),
    partition: parts.partition,
    node: (id) => index.nodes.get(id)!,
    wantsOld: index.olds.has(node.id),
    number: (name, initial) => numbers.number(`${node.id}/${name}`, initial),
    clock: (name) => clockOf(parts, node, `${node.id}/${name}`),
    storeClock: (store) => clockOf(parts, node, `store/${store}`),
    drop:
      parts.late === undefined
        ? (reason, _, times) => drops.add(node.id, reason, times)
        : dropTo(parts, node.id, parts.late),
    output: (topic) => sinkOf(parts, node, topic),
    scan: (scan) => scans.add(scan),
    scanFirst: (scan) => scans.first(scan),
    calls: (settings, results) => (trace === undefined ? calls.add(settings, results) : silentCaller(parts)),
    schedule(name, intervalMs, time, fire) {
      if (trace !== undefined) return;
      const initial = time === 'stream' ? Number.NEGATIVE_INFINITY : parts.now() + intervalMs;
      timers.add({ place, intervalMs, time, fire, next: numbers.number(`${node.id}/timer/${name}`, initial) });
    },
    alarm(name, fire) {
      const next = numbers.number(`${node.id}/timer/${name}`, NO_ALARM);
      if (trace === undefined) timers.add({ place, intervalMs: undefined, time: 'wall', fire, next });
      return next;
    },
    mailbox(owner) {
      if (trace === undefined) mailboxes.add(owner);
    },
    streamTime: clock?.value ?? numbers.number('stream-time', -1),
  };
}

/** What operators are told of a store, with the serdes of its rows. */
export function storeSerdes(
  { program: { code }, index }: Pick<ContextParts, 'program' | 'index'>,
  store: string,
): StoreSerdes {
  const found = index.stores.get(store)!;
  const { kind, key, retentionMs } = found;
  return { kind, key: code.serde(key), value: code.stored(found), retentionMs };
}

function dropTo({ drops }: ContextParts, node: string, late: Push): OperatorContext['drop'] {
  return (reason, record, times) => {
    drops.add(node, reason, times);
    if (reason === 'late') late(record);
  };
}

function clockOf({ clock, numbers }: ContextParts, node: PlanNode, number: string): OperatorClock {
  return clock?.clock(node.id, number) ?? new OwnClock(numbers.number(number, -1));
}

/** While a failure is looked into nothing is called: the step is undone in any case. */
function silentCaller({ step, now }: ContextParts): Caller {
  return { start() {}, waitFor: () => step.miss(), now };
}

function sinkOf(parts: ContextParts, node: PlanNode, name: string): Output {
  const topic = parts.index.topics.get(name)!;
  const { code } = parts.program;
  return createSink({
    topic: name,
    partitions: topic.partitions,
    key: code.serde(topic.key),
    value: code.serde(topic.value),
    outputs: parts.outputs,
    inherited: node.kind === 'to' && node.partitioner === 'inherited' ? parts.partition : undefined,
    nullKeyPartition: parts.partition % topic.partitions,
    maxRecordBytes: parts.maxRecordBytes(name),
  });
}

function traced(fn: unknown, node: string, trace: (node: string | undefined) => void): unknown {
  if (typeof fn !== 'function') return fn;
  const wrapped = (...args: readonly unknown[]) => {
    trace(node);
    const result: unknown = Reflect.apply(fn, undefined, args);
    trace(undefined);
    return result;
  };
  // How many parameters a function declares decides what it is given.
  return Object.defineProperty(wrapped, 'length', { value: fn.length });
}
