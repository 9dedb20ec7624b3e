import type { Serde } from '../schemas/schemas.ts';

declare const accepts: unique symbol;

/**
 * How a topic's records were laid on partitions: `key` by Kafka's default partitioner over the key's bytes,
 * `unknown` by something else. Streams of an unknown partitioner cannot be joined before a repartition.
 */
export type DeclaredPartitioner = 'key' | 'unknown';

/** A topic to write to: takes keys K and values V, where null deletes. Any {@link Topic} is one. */
export interface Sink<K, V> {
  readonly name: string;
  readonly partitions: number;
  readonly partitioner: DeclaredPartitioner;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly [accepts]: (key: K, value: V) => void;
}

/** A topic with its formats and its literal partition count. */
export interface Topic<K, V, N extends number> extends Sink<K, V | null> {
  readonly partitions: N;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
}

export interface TopicOptions<K, V, N extends number> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** Compared with the topic's own count at deploy. */
  readonly partitions: N;
  /** Of records that others write into it; default `key`. */
  readonly partitioner?: DeclaredPartitioner;
}

/** Declares a topic. Nothing is checked or created here; `build()` and the deploy do. */
export function topic<K, V, const N extends number>(name: string, options: TopicOptions<K, V, N>): Topic<K, V, N> {
  const made: Omit<Topic<K, V, N>, typeof accepts> = {
    name,
    partitions: options.partitions,
    partitioner: options.partitioner ?? 'key',
    keySerde: options.key,
    valueSerde: options.value,
  };
  // The mark has no value: it only tells the compiler what the topic takes.
  return Object.freeze(made) as Topic<K, V, N>;
}
