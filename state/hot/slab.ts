import type { Bytes } from '../../core/bytes.ts';

const PAGE_SHIFT = 15;
const PAGE_BYTES = 1 << PAGE_SHIFT;
const UNIT_SHIFT = 4;
const PLACE_BITS = PAGE_SHIFT - UNIT_SHIFT;
const PLACE_MASK = (1 << PLACE_BITS) - 1;

/** Four sizes to each doubling from 64 bytes on: at most a quarter of a block is unused. */
const SIZES: readonly number[] = [
  16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048,
  2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192,
];
const LARGEST = SIZES[SIZES.length - 1]!;
const LARGE = SIZES.length;
const CLASS_OF_UNITS = classTable();

/**
 * Byte strings of any length, each at a *place*: a number below 2^31. Pages of 32 KB hold blocks of one size;
 * an empty page goes to whichever size needs one. A string longer than 8 KB has a page of its own.
 */
export class Slab {
  usedBytes = 0;
  readonly #pages: (Page | undefined)[] = [];
  readonly #current: (Page | undefined)[] = new Array(SIZES.length).fill(undefined);
  readonly #partial: Page[][] = SIZES.map(() => []);
  readonly #spare: Page[] = [];
  readonly #unused: number[] = [];

  allocate(length: number): number {
    if (length > LARGEST) return this.#allocateLarge(length);
    const size = CLASS_OF_UNITS[(length + 15) >>> UNIT_SHIFT]!;
    let page = this.#current[size];
    if (page === undefined || (page.free < 0 && page.fresh > page.lastFresh)) page = this.#nextPage(size);
    let at: number;
    if (page.free >= 0) {
      at = page.free;
      page.free = page.words[at >>> 2]!;
    } else {
      at = page.fresh;
      page.fresh += page.blockBytes;
    }
    page.live++;
    this.usedBytes += page.blockBytes;
    return (page.number << PLACE_BITS) | (at >>> UNIT_SHIFT);
  }

  /** The buffer that holds the place; the string starts in it at {@link Slab.start}. */
  bytes(place: number): Bytes {
    return this.#pages[place >>> PLACE_BITS]!.bytes;
  }

  start(place: number): number {
    return (place & PLACE_MASK) << UNIT_SHIFT;
  }

  release(place: number): void {
    const page = this.#pages[place >>> PLACE_BITS]!;
    this.usedBytes -= page.blockBytes;
    page.live--;
    if (page.size === LARGE) {
      this.#pages[page.number] = undefined;
      this.#unused.push(page.number);
      return;
    }
    const at = (place & PLACE_MASK) << UNIT_SHIFT;
    page.words[at >>> 2] = page.free;
    page.free = at;
    if (page === this.#current[page.size]) return;
    if (page.live === 0) this.#retire(page);
    else if (!page.listed) {
      page.listed = true;
      this.#partial[page.size]!.push(page);
    }
  }

  clear(): void {
    this.usedBytes = 0;
    this.#pages.length = 0;
    this.#current.fill(undefined);
    for (const pages of this.#partial) pages.length = 0;
    this.#spare.length = 0;
    this.#unused.length = 0;
  }

  #nextPage(size: number): Page {
    const partial = this.#partial[size]!;
    for (let page = partial.pop(); page !== undefined; page = partial.pop()) {
      page.listed = false;
      if (this.#pages[page.number] !== page || page.size !== size || page.free < 0) continue;
      this.#current[size] = page;
      return page;
    }
    const page = this.#spare.pop() ?? new Page(this.#number(), PAGE_BYTES);
    this.#pages[page.number] = page;
    page.assign(size, SIZES[size]!);
    this.#current[size] = page;
    return page;
  }

  #allocateLarge(length: number): number {
    const page = new Page(this.#number(), length);
    page.assign(LARGE, length);
    page.live = 1;
    this.#pages[page.number] = page;
    this.usedBytes += length;
    return page.number << PLACE_BITS;
  }

  /** Keeps a few empty pages for any size, frees the rest. */
  #retire(page: Page): void {
    if (this.#spare.length < 8) {
      page.size = -1;
      this.#spare.push(page);
      return;
    }
    this.#pages[page.number] = undefined;
    this.#unused.push(page.number);
  }

  #number(): number {
    return this.#unused.pop() ?? this.#pages.push(undefined) - 1;
  }
}

class Page {
  readonly number: number;
  readonly bytes: Bytes;
  readonly words: Int32Array;
  size = -1;
  blockBytes = 0;
  live = 0;
  free = -1;
  fresh = 0;
  lastFresh = 0;
  listed = false;

  constructor(number: number, byteLength: number) {
    const memory = new ArrayBuffer((byteLength + 3) & ~3);
    this.number = number;
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }

  assign(size: number, blockBytes: number): void {
    this.size = size;
    this.blockBytes = blockBytes;
    this.live = 0;
    this.free = -1;
    this.fresh = 0;
    this.lastFresh = PAGE_BYTES - blockBytes;
  }
}

function classTable(): Uint8Array {
  const classes = new Uint8Array((LARGEST >>> UNIT_SHIFT) + 1);
  let size = 0;
  for (let units = 0; units < classes.length; units++) {
    while (SIZES[size]! < units << UNIT_SHIFT) size++;
    classes[units] = size;
  }
  return classes;
}
