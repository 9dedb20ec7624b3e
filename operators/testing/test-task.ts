import { type Bytes, ByteWriter } from '../../core/bytes.ts';
import { MISS, Step } from '../../core/step.ts';
import { type Serde, toPlain } from '../../schemas/schemas.ts';
import type { Table, TableSpec } from '../../state/state.ts';
import { type PlanNode, type PlanStore, type PlanTopic, STORE_FORMS } from '../../topology/plan.ts';
import { behindFirst } from '../behind-first.ts';
import type { CallResults } from '../calls.ts';
import { fanOut, fuse, latePort, NOWHERE, type Wire } from '../fuse.ts';
import { nodesWithOlds } from '../olds.ts';
import {
  type DropReason,
  NO_ALARM,
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type ResumableScan,
} from '../operators.ts';
import { OwnClock } from '../own-clock.ts';
import { Rec } from '../record.ts';
import { createRowWriter } from '../store-rows.ts';
import { OPERATORS } from '../table.ts';
import { createNaiveTable, type Interrupt, type NaiveTable } from './naive-table.ts';
import { TestCalls } from './test-calls.ts';
import { fireTimer, TestList, TestNumber, type TestTimer } from './test-parts.ts';

/** What runs: a program of `topology/` gives it, or a test by hand. */
export interface TestProgram {
  readonly nodes: readonly PlanNode[];
  readonly stores: readonly Omit<PlanStore, 'nodes'>[];
  readonly topics: readonly Pick<PlanTopic, 'name' | 'key' | 'value'>[];
  fn(ref: string): unknown;
  serde(name: string): Serde<unknown>;
}

export interface TestTaskOptions {
  readonly step?: Step;
  /** Default: naive tables. */
  table?(spec: TableSpec, step: Step): Table;
  /** Called before each read of a naive table; may miss. */
  interrupt?(step: Step): void;
  /** Every table is asked for the value that its records replace, and outputs show it; default: as the plan says. */
  readonly olds?: boolean;
  /**
   * Which of so many calls on their way ends next; -1: none before it must. Functions that are called answer at once,
   * without a promise. Default: the first, so that none is on its way when the next record is taken.
   */
  nextCall?(open: number): number;
  /** Called between steps. */
  between?(): void;
}

/** An input, and an output as it would be read. */
export interface Datum {
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  /** The value that it replaces, on outputs of tables that are asked for it. */
  readonly old?: unknown;
}

interface Encoded {
  readonly node: string;
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly timestamp: number;
}

const ENTRIES: readonly string[] = ['source', 'table', 'globalTable'];

/**
 * One task over all stages of a plan, on the bench: synchronous, in memory, repartition topics looped back, every
 * record finished with its round trips before the next is taken. The reference for what the operators' context
 * promises. It can be saved between any two steps and opened again from there, as after a crash.
 */
export class TestTask {
  readonly step: Step;
  readonly written: TestList<Datum>;
  readonly dropped: TestList<{ readonly node: string; readonly reason: DropReason }>;
  /** How many steps were undone. */
  misses = 0;
  readonly inputs: Datum[] = [];

  readonly #program: TestProgram;
  readonly #options: TestTaskOptions;
  readonly #olds: ReadonlySet<string>;
  readonly #tables = new Map<string, Table>();
  readonly #numbers = new Map<string, TestNumber>();
  readonly #looped: TestList<Encoded>;
  readonly #streamTime: TestNumber;
  readonly #scratch = new ByteWriter();
  #scans: TestList<ResumableScan>;
  /** The scan that gave up the step. */
  #first: ResumableScan | undefined;
  #calls: TestCalls;
  #timers: TestTimer[] = [];
  #operators: Operator[] = [];
  #entries = new Map<string, Push>();
  #position = 0;
  #wallMs = 0;

  constructor(program: TestProgram, options: TestTaskOptions = {}) {
    this.#program = program;
    this.#options = options;
    this.#olds = nodesWithOlds(program.nodes);
    this.step = options.step ?? new Step();
    this.written = new TestList(this.step);
    this.dropped = new TestList(this.step);
    this.#looped = new TestList(this.step);
    this.#scans = new TestList(this.step);
    this.#calls = new TestCalls(this.step, options.nextCall);
    this.#streamTime = new TestNumber(this.step, -1);
    const interrupt: Interrupt = () => options.interrupt?.(this.step);
    for (const store of program.stores) {
      const form = STORE_FORMS[store.kind];
      const cells = form.raw ? undefined : program.serde(store.value).cells;
      const spec = { name: store.name, windowed: form.paned, cells, ordered: true };
      this.#tables.set(store.name, options.table?.(spec, this.step) ?? createNaiveTable(spec, this.step, interrupt));
    }
    this.#build();
  }

  /** Takes the inputs from where it stands to their end. */
  run(): void {
    this.#drain();
    while (this.#position < this.inputs.length) {
      const { topic, key, value, timestamp } = this.inputs[this.#position]!;
      const nodes = this.#program.nodes.filter(
        (node) => ENTRIES.includes(node.kind) && 'topic' in node && node.topic === topic,
      );
      const serdes = this.#program.topics.find(({ name }) => name === topic)!;
      for (const node of nodes) {
        const encoded = {
          node: node.id,
          key: this.#encode(serdes.key, key),
          value: this.#encode(serdes.value, value),
          timestamp,
        };
        this.#attempt(() => this.#push(encoded, serdes.key, serdes.value));
      }
      this.#position++;
      this.#options.between?.();
      this.#drain();
    }
  }

  feed(...inputs: readonly Datum[]): void {
    this.inputs.push(...inputs);
    this.run();
  }

  /** Ends all inputs. */
  end(): void {
    for (const operator of this.#operators) {
      this.#endCalls();
      this.#attempt(() => operator.end?.());
      this.#drain();
    }
  }

  #endCalls(): void {
    for (; this.#calls.open > 0; this.#drain()) this.#calls.endNext(true);
  }

  advanceWallClock(ms: number): void {
    this.#wallMs += ms;
    this.#fire('wall', this.#wallMs);
    this.#drain();
  }

  number(name: string): number | undefined {
    return this.#numbers.get(name)?.value;
  }

  table(name: string): Table {
    return this.#tables.get(name)!;
  }

  /** Keeps all that a commit keeps; the answer opens the task anew from there. */
  save(): () => void {
    const tables = [...this.#tables.values()].map((table) => (table as unknown as NaiveTable).save());
    const kept = [this.written, this.dropped, this.#looped, this.#streamTime, ...this.#numbers.values()];
    const putBacks = kept.map((part) => part.keep());
    const numbers = [...this.#numbers.keys()];
    const position = this.#position;
    return () => {
      for (const putBack of [...tables, ...putBacks]) putBack();
      for (const name of this.#numbers.keys()) if (!numbers.includes(name)) this.#numbers.delete(name);
      this.#position = position;
      this.#scans = new TestList(this.step);
      this.#calls = new TestCalls(this.step, this.#options.nextCall);
      this.#build();
    };
  }

  #build(): void {
    const { nodes } = this.#program;
    const ports = fuse(nodes);
    const built = new Map<string, Operator>();
    const pushOf = (wires: readonly Wire[]) =>
      fanOut(wires.map((wire) => built.get(wire.node.id)!.inputs[wire.input]!));
    this.#timers = [];
    this.#entries = new Map();
    for (const node of nodes.toReversed()) {
      const next = ports.get(node.id)!.map(pushOf);
      if (node.kind === 'globalTable') {
        const write = createRowWriter(this.#context(node, undefined), node.store);
        this.#entries.set(node.id, (record) => {
          if (!record.keyIsNull) write(record);
        });
        continue;
      }
      if (node.kind === 'source' || node.kind === 'read') {
        this.#entries.set(node.id, next[0]!);
        continue;
      }
      const factory = OPERATORS[node.kind] as OperatorFactory<PlanNode['kind']>;
      const late = next[latePort(node)];
      const operator = factory(node, this.#context(node, late), node.kind === 'repartition' ? [NOWHERE] : next);
      built.set(node.id, operator);
      this.#entries.set(node.id, node.kind === 'repartition' ? next[0]! : operator.inputs[0]!);
    }
    this.#operators = nodes.flatMap((node) => built.get(node.id) ?? []);
    for (const { id } of behindFirst(nodes)) this.#attempt(() => built.get(id)?.start?.());
  }

  #context(node: PlanNode, late: Push | undefined): OperatorContext {
    return {
      step: this.step,
      fn: <F>(_: string, ref: string) => this.#program.fn(ref) as F,
      serde: (name) => this.#program.serde(name),
      table: (store) => this.#tables.get(store)!,
      storeSerdes: (name) => {
        const store = this.#program.stores.find((each) => each.name === name)!;
        const { kind, key, value, retentionMs } = store;
        return { kind, key: this.#program.serde(key), value: this.#program.serde(value), retentionMs };
      },
      partition: 0,
      node: (id) => this.#program.nodes.find((each) => each.id === id)!,
      wantsOld: this.#options.olds === true || this.#olds.has(node.id),
      number: (name, initial) => this.#number(`${node.id}/${name}`, initial),
      clock: (name) => new OwnClock(this.#number(`${node.id}/${name}`, -1)),
      storeClock: (store) => new OwnClock(this.#number(`store/${store}`, -1)),
      drop: (reason, record, times = 1) => {
        for (let i = 0; i < times; i++) this.dropped.add({ node: node.id, reason });
        if (reason === 'late') late?.(record);
      },
      output: (topic) => ({ write: (record) => this.#write(node, topic, record) }),
      scan: (scan) => this.#scans.add(scan),
      scanFirst: (scan) => {
        this.#first = scan;
        return this.step.miss();
      },
      calls: (settings, results) => this.#calls.add(settings, results),
      schedule: (name, intervalMs, time, fire) => {
        const first = time === 'wall' ? this.#wallMs + intervalMs : 0;
        const next = this.#number(`${node.id}/timer/${name}`, first);
        this.#timers.push({ intervalMs, time, fire, next });
      },
      alarm: (name, fire) => {
        const next = this.#number(`${node.id}/timer/${name}`, NO_ALARM);
        this.#timers.push({ intervalMs: undefined, time: 'wall', fire, next });
        return next;
      },
      mailbox: (owner) => owner.opened({ post: (message, at) => this.#attempt(() => owner.take(message, at)) }),
      streamTime: this.#streamTime,
    };
  }

  #number(name: string, initial: number): TestNumber {
    const known = this.#numbers.get(name) ?? new TestNumber(this.step, initial);
    this.#numbers.set(name, known);
    return known;
  }

  #write(node: PlanNode, topic: string, record: Rec): void {
    const serdes = this.#program.topics.find(({ name }) => name === topic)!;
    const key = this.#program.serde(serdes.key);
    const value = this.#program.serde(serdes.value);
    record.encodeKey(key);
    record.encodeValue(value);
    const { timestamp, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record;
    if (node.kind === 'repartition') {
      this.#looped.add({
        node: node.id,
        key: keyStart < 0 ? null : Buffer.from(keyBytes.subarray(keyStart, keyEnd)),
        value: valueStart < 0 ? null : Buffer.from(valueBytes.subarray(valueStart, valueEnd)),
        timestamp,
      });
      return;
    }
    this.written.add({
      topic,
      key: keyStart < 0 ? null : key.decode(keyBytes, keyStart, keyEnd),
      value: valueStart < 0 ? null : value.decode(valueBytes, valueStart, valueEnd),
      timestamp,
      ...(this.#options.olds === true ? { old: toPlain(record.old) } : {}),
    });
  }

  #push({ node, key, value, timestamp }: Encoded, keyName: string, valueName: string): void {
    const keySerde = this.#program.serde(keyName);
    const valueSerde = this.#program.serde(valueName);
    const record = new Rec();
    record.timestamp = timestamp;
    record.setKeyBytes(keySerde, keySerde.view(), key ?? Buffer.alloc(0), key === null ? -1 : 0, key?.length ?? 0);
    record.setValueBytes(
      valueSerde,
      valueSerde.view(),
      value ?? Buffer.alloc(0),
      value === null ? -1 : 0,
      value?.length ?? 0,
    );
    if (timestamp > this.#streamTime.value) this.#streamTime.set(timestamp);
    this.#entries.get(node)!(record);
  }

  #encode(serde: string, value: unknown): Bytes | null {
    if (value === null) return null;
    this.#scratch.clear();
    this.#program.serde(serde).encode(value, this.#scratch);
    return this.#scratch.take();
  }

  /** Scans and looped records until nothing is left, each piece a step. */
  #drain(): void {
    for (;;) {
      const scan = this.#scans.items[0];
      if (scan !== undefined) {
        this.#attempt(() => this.#scans.nest(this.#scans.items.length, scan.advance()));
      } else if (this.#calls.ready !== undefined) {
        const results = this.#calls.ready;
        this.#attempt(() => results.release());
      } else if (this.#calls.endNext(false)) continue;
      else if (this.#looped.items.length > 0) {
        this.#attempt(() => {
          const record = this.#looped.take()!;
          const node = this.#program.nodes.find(({ id }) => id === record.node)!;
          const topic = this.#program.topics.find(({ name }) => node.kind === 'repartition' && name === node.topic)!;
          this.#push(record, topic.key, topic.value);
        });
      } else if (!this.#fire('stream', this.#streamTime.value)) return;
      this.#options.between?.();
    }
  }

  #fire(time: TestTimer['time'], now: number): boolean {
    const timer = this.#timers.find((each) => each.time === time && now >= each.next.value);
    if (timer === undefined) return false;
    this.#attempt(() => fireTimer(timer, now));
    return true;
  }

  /** Lets results leave until there is room for another record. */
  #makeRoom(results: CallResults): void {
    while (results.full) {
      if (results.ready) this.#attempt(() => results.release());
      else this.#calls.endNext(true);
      this.#options.between?.();
    }
  }

  #runFirst(scan: ResumableScan): void {
    for (let more = true; more; ) {
      this.#attempt(() => {
        more = scan.advance();
      });
      this.#options.between?.();
    }
  }

  /** Runs a step until it does not miss. User code that fails undoes its step and is thrown on. */
  #attempt(work: () => void): void {
    const { step } = this;
    for (;;) {
      step.begin();
      try {
        work();
        if (step.missed) throw MISS;
        step.settle();
        return;
      } catch (thrown) {
        step.rollback();
        if (!step.missed) throw thrown;
        const first = this.#first;
        this.#first = undefined;
        const { blocked } = this.#calls;
        this.#calls.blocked = undefined;
        if (blocked !== undefined) {
          this.#makeRoom(blocked);
          continue;
        }
        if (first !== undefined) this.#runFirst(first);
        else this.misses++;
      }
    }
  }
}
