import { millis } from '../core/duration.ts';
import { identified, int64, type Serde } from '../schemas/schemas.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { DeduplicateOptions, DifferenceOptions } from './stream-state.ts';

/** How long rows are kept from the start of their pane, in spans of `within`. */
const KEPT_SPANS = 3;

/** Answers the id of the node. */
export function addDeduplicate(
  builder: PlanBuilder,
  input: string,
  options: DeduplicateOptions<unknown, unknown>,
): string {
  const { store } = options;
  const id = builder.ids.named('deduplicate', store);
  const { key, value } = builder.node(input);
  const withinMs = millis(options.within, `within of ${id}`);
  const keySerde = key === null ? undefined : builder.serdeNamed(key);
  const rowKey =
    keySerde === undefined ? '' : options.by === undefined ? keySerde.name : builder.serde(identified(keySerde));
  const retentionMs = withinMs * KEPT_SPANS;
  builder.store({ name: store, kind: 'window', key: rowKey, value: builder.serde(int64()), retentionMs }, id);
  const by = options.by === undefined ? null : builder.fn(id, 'by', options.by);
  return builder.add({ kind: 'deduplicate', id, inputs: [input], key, value, store, withinMs, by });
}

/** Answers the id of the node. */
export function addDifference(
  builder: PlanBuilder,
  input: string,
  options: DifferenceOptions<unknown, unknown, unknown>,
): string {
  const { store, within } = options;
  const id = builder.ids.named('difference', store);
  const from = builder.node(input);
  const value = options.value === undefined ? from.value : builder.serde(options.value as Serde<unknown>);
  const withinMs = within === undefined ? null : millis(within, `within of ${id}`);
  const kind = withinMs === null ? 'key-value' : 'window';
  const retentionMs = withinMs === null ? null : withinMs * KEPT_SPANS;
  builder.store({ name: store, kind, key: from.key ?? '', value: value ?? '', retentionMs }, id);
  const fn = builder.fn(id, 'fn', options.fn);
  return builder.add({ kind: 'difference', id, inputs: [input], key: from.key, value: null, store, withinMs, fn });
}
