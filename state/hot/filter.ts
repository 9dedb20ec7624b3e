const FIRST_BITS = 1 << 13;
const LARGEST_BITS = 1 << 26;
const BITS_A_KEY = 10;
const PROBES = 5;

/** A Bloom filter over key hashes that grows by adding layers, each four times the last: about 1 % false answers. */
export class KeyFilter {
  readonly #layers: Int32Array[] = [];
  #room = 0;

  get bytes(): number {
    return this.#layers.reduce((sum, layer) => sum + layer.byteLength, 0);
  }

  add(hash: number): void {
    if (this.has(hash)) return;
    if (this.#room === 0) this.#addLayer();
    this.#room--;
    const layer = this.#layers[this.#layers.length - 1]!;
    const mask = layer.length * 32 - 1;
    const step = stepOf(hash);
    for (let i = 0, bit = hash; i < PROBES; i++, bit += step) layer[(bit & mask) >>> 5]! |= 1 << (bit & 31);
  }

  /** False: certainly never added. */
  has(hash: number): boolean {
    const step = stepOf(hash);
    next: for (const layer of this.#layers) {
      const mask = layer.length * 32 - 1;
      for (let i = 0, bit = hash; i < PROBES; i++, bit += step) {
        if (((layer[(bit & mask) >>> 5]! >>> (bit & 31)) & 1) === 0) continue next;
      }
      return true;
    }
    return false;
  }

  #addLayer(): void {
    const last = this.#layers[this.#layers.length - 1];
    const bits = last === undefined ? FIRST_BITS : Math.min(LARGEST_BITS, last.length * 128);
    this.#layers.push(new Int32Array(bits / 32));
    this.#room = Math.floor(bits / BITS_A_KEY);
  }
}

function stepOf(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> 15) | 1;
}
