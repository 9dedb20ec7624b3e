import type { Millis } from '../core/ids.ts';

/**
 * Which input of a test goes next: the one with the oldest record at its head. It is a binary heap as in Kafka Streams
 * and its test driver, so that inputs whose heads are of one time are taken in the same order as there. A head may
 * change only while its input is outside.
 */
export class OldestFirst<T> {
  readonly #headOf: (item: T) => Millis;
  readonly #heap: { readonly item: T; readonly head: Millis }[] = [];

  constructor(headOf: (item: T) => Millis) {
    this.#headOf = headOf;
  }

  has(item: T): boolean {
    return this.#heap.some((entry) => entry.item === item);
  }

  offer(item: T): void {
    const heap = this.#heap;
    const entry = { item, head: this.#headOf(item) };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (entry.head >= heap[parent]!.head) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  take(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.item;
    const half = heap.length >>> 1;
    let at = 0;
    while (at < half) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && heap[child]!.head > heap[child + 1]!.head) child++;
      if (last.head <= heap[child]!.head) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first.item;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
