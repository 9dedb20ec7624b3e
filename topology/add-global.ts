import type { GlobalTableOptions, JoinGlobalOptions } from './global-handles.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Sink } from './topic.ts';
import type { Lambda, Place } from './wire.ts';

/** A global table as it is made, without types. */
export interface Named {
  readonly id: string;
  readonly store: string;
}

export function addGlobalTable(builder: PlanBuilder, topic: Sink<never, never>, { store }: GlobalTableOptions): Named {
  const name = builder.userTopic(topic);
  const id = builder.ids.named('globalTable', name);
  const serdes = { key: topic.keySerde.name, value: topic.valueSerde.name };
  builder.store({ name: store, kind: 'global', ...serdes, retentionMs: null }, id);
  builder.add({ kind: 'globalTable', id, inputs: [], ...serdes, topic: name, store });
  return Object.freeze({ id, store });
}

export function addJoinGlobal(
  builder: PlanBuilder,
  how: 'inner' | 'left',
  stream: Place,
  table: Named,
  options: JoinGlobalOptions<Lambda, Lambda>,
): string {
  const id = builder.ids.either('joinGlobal', options.name, stream.id);
  const { key } = builder.node(stream.id);
  builder.reads(table.store, id);
  return builder.add({
    ...{ kind: 'joinGlobal', id, inputs: [stream.id, table.id], key, value: null, how, store: table.store },
    keyOf: builder.fn(id, 'key', options.key),
    merge: builder.fn(id, 'merge', options.merge),
  });
}
