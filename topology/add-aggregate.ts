import { type Duration, millis } from '../core/duration.ts';
import { bytes, int64, type Serde } from '../schemas/schemas.ts';
import type { NodeOf, WindowSpec } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import { mergesWindows, windowedKeySerde, windowFacts } from './window-facts.ts';
import type { DeclaredWindows } from './window-handles.ts';
import type { Lambda } from './wire.ts';

type AggregateNode = NodeOf<'aggregate'>;

export interface AnyAggregate {
  readonly store: string;
  readonly value?: Serde<unknown>;
  readonly initial?: Lambda;
  readonly add?: Lambda;
  readonly merge?: Lambda;
  /** What `merge` is where windows merge, of an aggregate that is made for windows of any kind. */
  readonly mergeRows?: Lambda;
  readonly retention?: Duration;
  /** Of a cogroup, the input and all others. */
  readonly members?: readonly { readonly id: string; readonly add: Lambda }[];
}

export interface AnyWindows {
  readonly windows: DeclaredWindows;
  readonly emit: AggregateNode['emit'];
}

/** One node for all aggregates, with and without windows; answers its id. */
export function addAggregate(
  builder: PlanBuilder,
  input: string,
  how: AggregateNode['how'],
  windowed: AnyWindows | null,
  options: AnyAggregate,
): string {
  const { store, members } = options;
  const id = builder.ids.named('aggregate', store);
  const inner = builder.node(input).key;
  const value = builder.serde(options.value ?? int64());
  const window = windowed === null ? null : planned(builder, id, windowed.windows);
  const key = window === null ? inner : windowedKey(builder, inner, window);
  const beside = addStores(builder, id, window, { inner, key, value }, options);
  const fn = (role: 'add' | 'initial' | 'merge') => {
    const given = options[role];
    return given === undefined ? null : builder.fn(id, role, given);
  };
  return builder.add({
    kind: 'aggregate',
    id,
    inputs: members === undefined ? [input] : members.map((member) => member.id),
    key,
    value,
    how,
    store,
    window,
    emit: windowed?.emit ?? 'update',
    beside,
    add: fn('add'),
    initial: fn('initial'),
    merge:
      window !== null && mergesWindows(window) && options.mergeRows !== undefined
        ? builder.fn(id, 'merge', options.mergeRows)
        : fn('merge'),
    ...(members === undefined ? {} : { adds: members.map(({ add }, i) => builder.fn(id, `add-${i + 1}`, add)) }),
  });
}

/** The windows with references in place of their functions. */
function planned(builder: PlanBuilder, id: string, windows: DeclaredWindows): WindowSpec {
  const ref = <F>(role: string, fn: F) => (typeof fn === 'function' ? builder.fn(id, role, fn) : (fn as string));
  if (windows.type === 'session') {
    const { gapMs } = windows;
    return { ...windows, gapMs: typeof gapMs === 'function' ? ref('gap', gapMs) : gapMs };
  }
  if (windows.type !== 'custom') return windows;
  return {
    ...windows,
    assign: ref('assign', windows.assign),
    merge: windows.merge === null ? null : ref('mergeWindows', windows.merge),
    close: windows.close === null ? null : ref('close', windows.close),
  };
}

interface Formats {
  readonly inner: string | null;
  readonly key: string | null;
  readonly value: string;
}

/** The store of the aggregate and the one beside; answers the name of the latter. */
function addStores(
  builder: PlanBuilder,
  id: string,
  window: WindowSpec | null,
  { inner, key, value }: Formats,
  options: AnyAggregate,
): string | null {
  const { store: name } = options;
  const own = inner ?? '';
  const kept = window === null ? undefined : windowFacts(window).kept;
  const retentionMs = window === null ? null : retention(window, options);
  if (kept === 'panes') builder.store({ name, kind: 'window', key: own, value, retentionMs }, id);
  else builder.store({ name, kind: 'key-value', key: key ?? own, value, retentionMs }, id);
  if (kept === 'rows') {
    const raw = builder.serde(bytes());
    const closing = { name: `${name}.closing`, kind: 'window', key: raw, value: raw, retentionMs: null } as const;
    return builder.store(closing, id);
  }
  if (kept !== 'count') return null;
  const numbers = builder.serde(int64());
  return builder.store({ name: `${name}.numbers`, kind: 'key-value', key: own, value: numbers, retentionMs: null }, id);
}

function retention(window: WindowSpec, options: AnyAggregate): number | null {
  const { leastMs } = windowFacts(window);
  if (options.retention !== undefined) return millis(options.retention, `the retention of store ${options.store}`);
  return leastMs === 0 ? null : leastMs;
}

/** A size of zero has no serde; the validator tells of it. */
function windowedKey(builder: PlanBuilder, inner: string | null, window: WindowSpec): string | null {
  const serde = inner === null ? undefined : builder.serdeNamed(inner);
  const { sizeMs } = windowFacts(window);
  return serde === undefined || (sizeMs !== null && sizeMs <= 0)
    ? null
    : builder.serde(windowedKeySerde(window, serde));
}
