/** Segments of one size that are kept for the next pane. */
const MOST_SPARE = 4;

/** Pieces of index, all zeros when they are taken; those given back serve the next pane. */
export class Segments {
  readonly #spare: Int32Array[][] = [];

  /** So many words, a power of two. */
  take(words: number): Int32Array {
    return this.#spareOf(words).pop() ?? new Int32Array(words);
  }

  give(segment: Int32Array): void {
    const spare = this.#spareOf(segment.length);
    if (spare.length < MOST_SPARE) spare.push(segment.fill(0));
  }

  #spareOf(words: number): Int32Array[] {
    const size = 31 - Math.clz32(words);
    while (this.#spare.length <= size) this.#spare.push([]);
    return this.#spare[size]!;
  }
}
