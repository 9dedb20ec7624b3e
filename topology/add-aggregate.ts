import { type Duration, millis } from '../core/duration.ts';
import { int64, type Serde, windowed } from '../schemas/schemas.ts';
import type { NodeOf, WindowSpec } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Lambda } from './wire.ts';

interface AnyAggregate {
  readonly store: string;
  readonly value?: Serde<unknown>;
  readonly initial?: Lambda;
  readonly add?: Lambda;
  readonly retention?: Duration;
}

/** One node for all six aggregates; answers its id. */
export function addAggregate(
  builder: PlanBuilder,
  input: string,
  how: NodeOf<'aggregate'>['how'],
  window: WindowSpec | null,
  options: AnyAggregate,
): string {
  const { store } = options;
  const id = builder.ids.named('aggregate', store);
  const inner = builder.node(input).key;
  const value = builder.serde(options.value ?? int64());
  builder.store(
    {
      name: store,
      kind: window === null ? 'key-value' : 'window',
      key: inner ?? '',
      value,
      retentionMs: window === null ? null : retention(window, options),
    },
    id,
  );
  return builder.add({
    kind: 'aggregate',
    id,
    inputs: [input],
    key: window === null ? inner : windowedKey(builder, inner, window),
    value,
    how,
    store,
    window,
    add: options.add === undefined ? null : builder.fn(id, 'add', options.add),
    initial: options.initial === undefined ? null : builder.fn(id, 'initial', options.initial),
  });
}

function retention(window: WindowSpec, options: AnyAggregate): number {
  if (options.retention === undefined) return window.sizeMs + window.graceMs;
  return millis(options.retention, `the retention of store ${options.store}`);
}

/** A size of zero has no serde; the validator tells of it. */
function windowedKey(builder: PlanBuilder, inner: string | null, window: WindowSpec): string | null {
  const serde = inner === null ? undefined : builder.serdeNamed(inner);
  return serde === undefined || window.sizeMs <= 0 ? null : builder.serde(windowed(serde, window.sizeMs));
}
