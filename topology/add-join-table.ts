import { type Duration, millis } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { NodeOf } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Lambda, Place, Stored } from './wire.ts';

/** `JoinTableOptions` of `handles.ts`. */
export interface JoinTableCall {
  readonly merge: Lambda;
  readonly name?: string;
  readonly grace?: Duration;
  readonly value?: Serde<unknown>;
}

/** Adds the join of a stream with a table, and with grace the store where its records wait; answers its id. */
export function addJoinTable(
  builder: PlanBuilder,
  how: 'inner' | 'left',
  stream: Place,
  table: Stored,
  call: JoinTableCall,
): string {
  const id = builder.ids.either('joinTable', call.name, stream.id);
  const { key } = builder.node(stream.id);
  builder.looksUp(table.id, id);
  return builder.add({
    kind: 'joinTable',
    id,
    inputs: [stream.id, table.id],
    key,
    value: null,
    how,
    store: table.store ?? null,
    merge: builder.fn(id, 'merge', call.merge),
    grace: call.grace === undefined ? null : addBuffer(builder, id, stream, call, call.grace),
  });
}

function addBuffer(
  builder: PlanBuilder,
  id: string,
  stream: Place,
  { name, value }: JoinTableCall,
  grace: Duration,
): NodeOf<'joinTable'>['grace'] {
  const before = builder.node(stream.id);
  const buffer = builder.store(
    {
      name: name ?? '',
      kind: 'buffer',
      key: before.key ?? '',
      value: (value === undefined ? before.value : builder.serde(value)) ?? '',
      retentionMs: null,
    },
    id,
  );
  return { ms: millis(grace, `the grace of ${id}`), buffer };
}
