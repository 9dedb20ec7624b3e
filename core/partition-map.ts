/** Values by topic and partition; to find one makes no name of the two. */
export class PartitionMap<V> {
  readonly #topics = new Map<string, Map<number, V>>();

  get(topic: string, partition: number): V | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  set(topic: string, partition: number, value: V): void {
    const values = this.#topics.get(topic);
    if (values === undefined) this.#topics.set(topic, new Map([[partition, value]]));
    else values.set(partition, value);
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic);
  }

  *values(): Generator<V> {
    for (const values of this.#topics.values()) yield* values.values();
  }
}
