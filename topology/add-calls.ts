import { millis } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { CallOptions, LookupOptions, MapAsyncOptions } from './call-handles.ts';
import type { CacheSettings, CallSettings, NodeOf } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Lambda } from './wire.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_BACKOFF_MS = 100;
const DEFAULT_MAX_BACKOFF_MS = 30_000;

export type MapAsync = MapAsyncOptions<unknown, unknown, unknown>;
export type Lookup = LookupOptions<unknown, unknown, unknown, Lambda>;

/** A function that takes time, with the store of the records whose results have not left. */
export function addMapAsync(builder: PlanBuilder, input: string, options: MapAsync): string {
  const id = builder.ids.named('mapAsync', options.name);
  return builder.add({
    kind: 'mapAsync',
    id,
    inputs: [input],
    key: serdeOr(builder, options.key, builder.node(input).key),
    value: serdeOr(builder, options.value, null),
    fn: builder.fn(id, 'fn', options.fn),
    calls: { ...callSettings(id, options), ...beginOf(options) },
    store: addStore(builder, id, input, options),
  });
}

export function addLookup(builder: PlanBuilder, how: NodeOf<'lookup'>['how'], input: string, options: Lookup): string {
  const id = builder.ids.named('lookup', options.name);
  return builder.add({
    kind: 'lookup',
    id,
    inputs: [input],
    key: serdeOr(builder, options.key, builder.node(input).key),
    value: null,
    how,
    fn: builder.fn(id, 'fn', options.fn),
    merge: builder.fn(id, 'merge', options.merge),
    calls: callSettings(id, options),
    cache: cacheSettings(id, options),
    store: addStore(builder, id, input, options),
  });
}

function serdeOr(builder: PlanBuilder, given: Serde<unknown> | undefined, before: string | null): string | null {
  return given === undefined ? before : builder.serde(given);
}

function callSettings(id: string, { concurrency, order, timeout, retry }: CallOptions<unknown, unknown>): CallSettings {
  return {
    concurrency,
    order: order ?? 'key',
    timeoutMs: millis(timeout ?? DEFAULT_TIMEOUT_MS, `the timeout of ${id}`),
    attempts: retry?.attempts ?? 1,
    backoffMs: millis(retry?.backoff ?? DEFAULT_BACKOFF_MS, `the backoff of ${id}`),
    maxBackoffMs: millis(retry?.maxBackoff ?? DEFAULT_MAX_BACKOFF_MS, `the longest backoff of ${id}`),
  };
}

/** What the default is stands in no plan, so that plans of before are as they were. */
function beginOf({ begin }: MapAsync): Pick<CallSettings, 'begin'> {
  return begin === undefined || begin === 'taken' ? {} : { begin };
}

function cacheSettings(id: string, { cache }: Lookup): CacheSettings {
  return {
    maxEntries: cache.maxEntries,
    ttlMs: millis(cache.ttl, `the ttl of ${id}`),
    negativeTtlMs: millis(cache.negativeTtl ?? 0, `the negativeTtl of ${id}`),
  };
}

function addStore(builder: PlanBuilder, id: string, input: string, options: CallOptions<unknown, unknown>): string {
  const before = builder.node(input);
  return builder.store(
    {
      name: options.name,
      kind: 'calls',
      key: serdeOr(builder, options.key, before.key) ?? '',
      value: serdeOr(builder, options.input, before.value) ?? '',
      retentionMs: null,
    },
    id,
  );
}
