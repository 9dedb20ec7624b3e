import { millis } from '../core/duration.ts';
import { buffered, bytes, type Serde, timed } from '../schemas/schemas.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { SuppressOptions } from './suppress-options.ts';
import { closesAfterEnd } from './window-close.ts';

export type AnySuppress = SuppressOptions<never, unknown>;

/**
 * Suppression behind a table; answers the id of its node. A windowed aggregate makes its final results itself, from
 * the rows it holds anyway; behind all else, within bounds, and where a store is named, updates wait in a buffer.
 */
export function addSuppress(builder: PlanBuilder, input: string, options: AnySuppress | undefined): string {
  const from = builder.node(input);
  const { key } = from;
  const buffered = [options?.store, options?.maxRecords, options?.maxBytes].some((option) => option !== undefined);
  const final = options === undefined || !('untilTimeLimit' in options);
  if (options === undefined || (final && !buffered && from.kind === 'aggregate')) {
    const id = builder.ids.unnamed('suppress', input);
    return builder.add({ kind: 'suppress', id, inputs: [input], key, value: from.value });
  }
  const { store, maxRecords = null, maxBytes = null } = options;
  const id = builder.ids.either('suppressBuffer', store, input);
  const value = options.value === undefined ? from.value : builder.serde(options.value as Serde<unknown>);
  const common = {
    id,
    inputs: [input],
    key,
    value,
    maxRecords,
    maxBytes,
    ...addStores(builder, id, store, key, value),
  };
  return builder.add(
    'untilTimeLimit' in options
      ? {
          ...common,
          kind: 'suppressBuffer',
          until: 'timeLimit',
          waitMs: millis(options.untilTimeLimit, `the time limit of ${id}`),
          whenFull: options.whenFull ?? 'emit-early',
        }
      : {
          ...common,
          kind: 'suppressBuffer',
          until: 'windowClose',
          waitMs: closesAfterEnd(input, builder.nodes) ?? 0,
          whenFull: 'fail',
        },
  );
}

/** Without a store, which the validator tells of, there is none. */
function addStores(
  builder: PlanBuilder,
  id: string,
  store: string | undefined,
  key: string | null,
  value: string | null,
): { readonly store: string; readonly order: string } {
  if (store === undefined) return { store: '', order: '' };
  const keySerde = key === null ? undefined : builder.serdeNamed(key);
  const valueSerde = value === null ? undefined : builder.serdeNamed(value);
  const order = `${store}-order`;
  const rows = valueSerde === undefined ? '' : builder.serde(buffered(valueSerde));
  const orderKey = keySerde === undefined ? '' : builder.serde(timed(keySerde));
  builder.store({ name: store, kind: 'key-value', key: key ?? '', value: rows, retentionMs: null }, id);
  builder.store({ name: order, kind: 'buffer', key: orderKey, value: builder.serde(bytes()), retentionMs: null }, id);
  return { store, order };
}
