import type { Bytes } from '../../core/bytes.ts';

/**
 * The newest of what was kept, up to so many bytes, in the order of a list beside the map: the first entry of a map from
 * which the first ones were deleted is found only behind all of these.
 */
export class Recent {
  readonly #mostBytes: number;
  readonly #kept = new Map<string, Bytes>();
  #names: string[] = [];
  /** Names before it are gone. */
  #first = 0;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get(name: string): Bytes | undefined {
    return this.#kept.get(name);
  }

  /** The first that comes under a name stays. */
  keep(name: string, bytes: Bytes): void {
    if (this.#kept.has(name)) return;
    this.#kept.set(name, bytes);
    this.#names.push(name);
    this.#bytes += bytes.length;
    while (this.#bytes > this.#mostBytes) {
      const oldest = this.#names[this.#first++]!;
      this.#bytes -= this.#kept.get(oldest)!.length;
      this.#kept.delete(oldest);
    }
    if (this.#first < 1024 || this.#first * 2 < this.#names.length) return;
    this.#names = this.#names.slice(this.#first);
    this.#first = 0;
  }
}
