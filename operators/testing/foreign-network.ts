import { ByteWriter } from '../../core/bytes.ts';
import { Step } from '../../core/step.ts';
import { partitionForKey } from '../../log/log.ts';
import { type Plan, STORE_FORMS, type Stage } from '../../topology/plan.ts';
import type { Program } from '../../topology/topology.ts';
import { fanOut, fuse, type Wire } from '../fuse.ts';
import { nodesWithOlds } from '../olds.ts';
import type { Operator, OperatorContext, OperatorFactory, Output, Push } from '../operators.ts';
import { Rec } from '../record.ts';
import { OPERATORS } from '../table.ts';
import { createNaiveTable, type NaiveTable } from './naive-table.ts';
import { TestNumber } from './test-parts.ts';

/** A record on its way: where it goes, and its bytes as latin text. */
interface Sent {
  readonly topic: string;
  readonly key: string;
  readonly value: string | null;
}

/** Where all stands between two steps. To go there again: {@link ForeignNetwork.restore}. */
export interface Saved {
  readonly id: string;
  readonly putBacks: readonly (() => void)[];
  readonly queues: readonly (readonly Sent[])[];
  readonly result: string | null;
}

/**
 * A join by foreign key as it runs in several tasks, with each record between them to be taken when the test says so: one
 * task of the left table, and of the right table one for each partition. What goes from one task to another comes in order,
 * and that alone is sure. Keys and values are texts; there is one left row, and all happens at time 0.
 */
export class ForeignNetwork {
  /** Of the one left row. */
  result: string | null = null;

  readonly #step = new Step();
  readonly #plan: Plan;
  readonly #code: Program['code'];
  readonly #tables: NaiveTable[] = [];
  readonly #left: ReadonlyMap<string, Push>;
  readonly #rights: readonly ReadonlyMap<string, Push>[];
  /** By right task: the subscriptions, then the answers. */
  #queues: (readonly Sent[])[];
  readonly #scratch = new ByteWriter();
  /** The queue of answers of the task that is at work. */
  #answers = -1;

  /** The program reads the topics `left` and `right`, and writes the rows of the join to `out`. */
  constructor({ plan, code }: Program) {
    this.#plan = plan;
    this.#code = code;
    const stageOf = (topic: string) => plan.stages.find(({ reads }) => reads.includes(topic))!;
    this.#left = this.#open(stageOf('left'));
    const right = stageOf('right');
    this.#rights = Array.from({ length: right.partitions }, () => this.#open(right));
    this.#queues = this.#rights.flatMap(() => [[], []]);
  }

  /** The left row changes. */
  left(value: string | null): void {
    this.#run(() => this.#push(this.#left, this.#encoded('left', 'row', value)));
  }

  /** A right row changes. */
  right(key: string, value: string | null): void {
    const task = this.#taskOf(this.#text(key));
    this.#answers = task * 2 + 1;
    this.#run(() => this.#push(this.#rights[task]!, this.#encoded('right', key, value)));
  }

  /** The queues with records to take. */
  get waiting(): readonly number[] {
    return this.#queues.flatMap((queue, i) => (queue.length > 0 ? [i] : []));
  }

  /** Takes the first record of a queue. */
  take(queue: number): string {
    const [first, ...rest] = this.#queues[queue]!;
    this.#queues[queue] = rest;
    const task = queue >> 1;
    const toLeft = queue % 2 === 1;
    this.#answers = queue + 1;
    this.#run(() => this.#push(toLeft ? this.#left : this.#rights[task]!, first!));
    const hex = Buffer.from(first!.value ?? '', 'latin1').toString('hex');
    return toLeft ? `answer of ${task}: ${hex}` : `subscription to ${task}: ${hex}`;
  }

  /** The rows of all stores of a kind, in words. */
  rows(kind: string): string {
    const names = this.#plan.stores.filter((store) => store.kind === kind).map(({ name }) => name);
    return this.#tables.flatMap((table) => (names.includes(table.name) ? [table.text()] : [])).join('');
  }

  save(): Saved {
    const queues = [...this.#queues];
    const sent = queues.map((queue) => queue.map(({ value }) => `${value?.length} ${value}`).join()).join('|');
    const id = `${this.#tables.map((table) => table.text()).join('|')}|${sent}|${this.result}`;
    return { id, putBacks: this.#tables.map((table) => table.save()), queues, result: this.result };
  }

  restore({ putBacks, queues, result }: Saved): void {
    for (const putBack of putBacks) putBack();
    this.#queues = [...queues];
    this.result = result;
  }

  /** A task of a stage: where its topics are pushed to. */
  #open(stage: Stage): ReadonlyMap<string, Push> {
    const tables = new Map<string, NaiveTable & ReturnType<typeof createNaiveTable>>();
    for (const { name, kind, value } of this.#plan.stores.filter((store) => stage.stores.includes(store.name))) {
      const { raw, paned } = STORE_FORMS[kind];
      const cells = raw ? undefined : this.#code.serde(value).cells;
      tables.set(name, createNaiveTable({ name, windowed: paned, cells, ordered: true }, this.#step));
    }
    this.#tables.push(...tables.values());
    const { nodes } = this.#plan;
    const olds = nodesWithOlds(nodes);
    const ports = fuse(nodes);
    const built = new Map<string, Operator>();
    const entries = new Map<string, Push>();
    const pushOf = (wires: readonly Wire[]) =>
      fanOut(wires.flatMap((wire) => built.get(wire.node.id)?.inputs[wire.input] ?? []));
    for (const node of nodes.toReversed()) {
      const next = ports.get(node.id)!.map(pushOf);
      if (stage.nodes.includes(node.id) && node.kind !== 'source') {
        const context = this.#context(node.id, olds, tables);
        const factory = OPERATORS[node.kind as keyof typeof OPERATORS] as OperatorFactory<typeof node.kind>;
        built.set(node.id, factory(node as never, context, next));
      }
      if (node.kind === 'table') entries.set(node.topic, built.get(node.id)?.inputs[0] ?? next[0]!);
      if (node.kind === 'source' || node.kind === 'repartition') entries.set(node.topic, next[0]!);
    }
    return entries;
  }

  #context(
    node: string,
    olds: ReadonlySet<string>,
    tables: ReadonlyMap<string, ReturnType<typeof createNaiveTable>>,
  ): OperatorContext {
    const { nodes, stores } = this.#plan;
    const context: Partial<OperatorContext> = {
      step: this.#step,
      fn: <F>(_: string, ref: string) => this.#code.fn(ref) as F,
      serde: (name) => this.#code.serde(name),
      table: (store) => tables.get(store)!,
      storeSerdes: (name) => {
        const { kind, key, value } = stores.find((each) => each.name === name)!;
        return { kind, key: this.#code.serde(key), value: this.#code.serde(value) };
      },
      wantsOld: olds.has(node),
      partition: 0,
      node: (id) => nodes.find((each) => each.id === id)!,
      number: (_, initial) => new TestNumber(this.#step, initial),
      drop: () => {},
      output: (topic) => this.#output(topic),
    };
    return context as OperatorContext;
  }

  #output(topic: string): Output {
    const { key, value } = this.#plan.topics.find(({ name }) => name === topic)!;
    return {
      write: (record) => {
        record.encodeKey(this.#code.serde(key));
        record.encodeValue(this.#code.serde(value));
        const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record;
        const name = keyBytes.toString('latin1', keyStart, keyEnd);
        const text = valueStart < 0 ? null : valueBytes.toString('latin1', valueStart, valueEnd);
        if (topic === 'out') {
          this.result = text;
          return;
        }
        const queue = topic.includes('.answers.') ? this.#answers : this.#taskOf(name) * 2;
        this.#queues[queue] = [...this.#queues[queue]!, { topic, key: name, value: text }];
      },
    };
  }

  #encoded(topic: string, key: string, value: string | null): Sent {
    return { topic, key: this.#text(key), value: value === null ? null : this.#text(value) };
  }

  /** The task of a right key, which stands as latin text. */
  #taskOf(key: string): number {
    const bytes = Buffer.from(key, 'latin1');
    return partitionForKey(bytes, 0, bytes.length, this.#rights.length);
  }

  #text(value: string): string {
    this.#scratch.clear();
    this.#scratch.text(value);
    return this.#scratch.bytes.toString('latin1', 0, this.#scratch.at);
  }

  #push(entries: ReadonlyMap<string, Push>, { topic, key, value }: Sent): void {
    const formats = this.#plan.topics.find(({ name }) => name === topic)!;
    const [keySerde, valueSerde] = [this.#code.serde(formats.key), this.#code.serde(formats.value)];
    const record = new Rec();
    const [keyBytes, valueBytes] = [Buffer.from(key, 'latin1'), Buffer.from(value ?? '', 'latin1')];
    record.setKeyBytes(keySerde, keySerde.view(), keyBytes, 0, keyBytes.length);
    record.setValueBytes(valueSerde, valueSerde.view(), valueBytes, value === null ? -1 : 0, valueBytes.length);
    entries.get(topic)!(record);
  }

  #run(work: () => void): void {
    this.#step.begin();
    work();
    this.#step.settle();
  }
}
