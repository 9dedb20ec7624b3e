import { FlowError } from '../core/errors.ts';
import { addGlobalTable, type Named } from './add-global.ts';
import { isExpression, refOfExpression } from './expr.ts';
import type { GlobalTableOptions } from './global-handles.ts';
import type { ReadOptions, SourceLike, StreamOptions, TableOptions } from './handles.ts';
import type { NodeOf } from './plan.ts';
import type { Program } from './program.ts';
import { typeOfSerde } from './serde-types.ts';
import { sourceTiming } from './source-timing.ts';
import { tableKind } from './table-kind.ts';
import type { Topic } from './topic.ts';
import { validatePlan } from './validate.ts';
import type { Place, Wire } from './wire.ts';

type AnyTopic = Topic<unknown, unknown, number>;

/** `Topology` of `handles.ts`. */
export class TopologyHandle {
  readonly name: string;
  readonly #wire: Wire;
  readonly #sources: string[] = [];

  constructor(wire: Wire) {
    this.#wire = wire;
    this.name = wire.builder.name;
    Object.freeze(this);
  }

  stream(topic: AnyTopic, options: StreamOptions<unknown, unknown> = {}): Place {
    const { builder } = this.#wire;
    const name = builder.userTopic(topic);
    const wanted = {
      key: topic.keySerde.name,
      value: topic.valueSerde.name,
      onUndecodable: options.onUndecodable ?? 'fail',
    };
    const timing = sourceTiming(name, options);
    const same = this.#sources.find((id) => {
      const node = builder.node(id) as NodeOf<'source'>;
      const time = node.time === null || isExpression(node.time) ? (node.time ?? undefined) : builder.code(node.time);
      return (
        node.topic === name &&
        node.key === wanted.key &&
        node.value === wanted.value &&
        node.onUndecodable === wanted.onUndecodable &&
        JSON.stringify(node.timing) === JSON.stringify(timing) &&
        time === (options.time === undefined ? undefined : (refOfExpression(options.time) ?? options.time))
      );
    });
    const id = same ?? builder.ids.named('source', name);
    if (same === undefined) {
      const time = options.time === undefined ? null : builder.fn(id, 'time', options.time);
      const said = timing === undefined ? {} : { timing };
      this.#sources.push(builder.add({ kind: 'source', id, inputs: [], ...wanted, topic: name, time, ...said }));
    }
    return this.#wire.stream({ id, partitions: topic.partitions });
  }

  table(topic: AnyTopic, options: TableOptions): Place {
    const { builder } = this.#wire;
    const name = builder.userTopic(topic);
    const id = builder.ids.named('table', name);
    const { store, onUndecodable = 'fail' } = options;
    const serdes = { key: topic.keySerde.name, value: topic.valueSerde.name };
    builder.store({ name: store, ...tableKind(store, options), ...serdes }, id);
    builder.add({ kind: 'table', id, inputs: [], ...serdes, topic: name, store, onUndecodable });
    return this.#wire.table({ id, partitions: topic.partitions }, store);
  }

  globalTable(topic: AnyTopic, options: GlobalTableOptions): Named {
    return addGlobalTable(this.#wire.builder, topic, options);
  }

  read(source: SourceLike<unknown>, options: ReadOptions<unknown, unknown>): Place {
    const { builder } = this.#wire;
    const id = builder.ids.named('read', options.name);
    builder.add({
      kind: 'read',
      id,
      inputs: [],
      key: builder.serde(options.keySerde),
      value: builder.serde(options.value),
      connector: source.description,
      source: builder.fn(id, 'source', source),
      keyOf: builder.fn(id, 'key', options.key),
      time: builder.fn(id, 'time', options.time),
      bounded: source.bounded,
    });
    return this.#wire.stream({ id, partitions: 'stale' });
  }

  build(): Program {
    const { builder } = this.#wire;
    const plan = builder.plan();
    const faults = validatePlan(plan, (format) => {
      const serde = builder.serdeNamed(format);
      return serde === undefined ? 'dyn' : typeOfSerde(serde);
    });
    if (faults.length > 0) {
      const lines = faults.map((fault) => `  - ${fault.message}`);
      throw new FlowError('plan.invalid', `topology ${this.name} cannot run as written:\n${lines.join('\n')}`);
    }
    return builder.program(plan);
  }
}
