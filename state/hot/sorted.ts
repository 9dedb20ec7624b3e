/** Answers below 0, 0 or above 0: how a row's key stands to the key that is sought. */
export type RowOrder = (row: number) => number;

const BLOCK = 256;

/**
 * Row numbers of one pane in key-byte order, in blocks of up to 256: built by sorting, kept by inserting. A place
 * is `block * 512 + index`, good while `version` stands.
 */
export class SortedRows {
  version = 0;
  readonly #blocks: Int32Array[] = [];
  readonly #counts: number[] = [];

  static of(rows: Int32Array): SortedRows {
    const sorted = new SortedRows();
    for (let start = 0; start < rows.length; start += BLOCK / 2) {
      const block = rows.slice(start, start + BLOCK / 2);
      sorted.#blocks.push(block);
      sorted.#counts.push(block.length);
    }
    return sorted;
  }

  /** The row at a place, or -1 behind the last. */
  at(place: number): number {
    const block = this.#blocks[place >>> 9];
    return block === undefined ? -1 : block[place & 511]!;
  }

  after(place: number): number {
    const block = place >>> 9;
    return (place & 511) + 1 < this.#counts[block]! ? place + 1 : (block + 1) << 9;
  }

  /** The place behind the last row. */
  get end(): number {
    return this.#blocks.length << 9;
  }

  /** The place before another, or -1. */
  before(place: number): number {
    if ((place & 511) > 0) return place - 1;
    const block = (place >>> 9) - 1;
    return block < 0 ? -1 : (block << 9) | (this.#counts[block]! - 1);
  }

  /** The first place whose row does not stand before the sought key. Asks for the last row first: many keys rise. */
  seek(order: RowOrder): number {
    let low = 0;
    let high = this.#blocks.length;
    if (high > 0 && order(this.#lastRow(high - 1)) < 0) return high << 9;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(this.#lastRow(middle)) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.#blocks.length) return low << 9;
    const block = this.#blocks[low]!;
    let first = 0;
    let last = this.#counts[low]! - 1;
    while (first < last) {
      const middle = (first + last) >>> 1;
      if (order(block[middle]!) < 0) first = middle + 1;
      else last = middle;
    }
    return (low << 9) | first;
  }

  #lastRow(block: number): number {
    return this.#blocks[block]![this.#counts[block]! - 1]!;
  }

  insert(row: number, order: RowOrder): void {
    this.version++;
    const place = this.seek(order);
    let at = place >>> 9;
    let index = place & 511;
    if (at === this.#blocks.length) {
      if (at === 0 || this.#counts[at - 1] === BLOCK) {
        this.#blocks.push(new Int32Array(BLOCK));
        this.#counts.push(0);
      } else {
        at--;
        index = this.#counts[at]!;
      }
    }
    if (this.#counts[at] === BLOCK) {
      this.#split(at);
      if (index > BLOCK / 2) {
        at++;
        index -= BLOCK / 2;
      }
    }
    const block = this.#wholeBlock(at);
    const count = this.#counts[at]!;
    block.copyWithin(index + 1, index, count);
    block[index] = row;
    this.#counts[at] = count + 1;
  }

  /** Rows that were sorted take no more room than they need until the first one is inserted among them. */
  #wholeBlock(at: number): Int32Array {
    const block = this.#blocks[at]!;
    if (block.length === BLOCK) return block;
    const whole = new Int32Array(BLOCK);
    whole.set(block);
    this.#blocks[at] = whole;
    return whole;
  }

  /** Takes out the row that stands where `order` answers 0. */
  remove(order: RowOrder): void {
    this.version++;
    const place = this.seek(order);
    const at = place >>> 9;
    const block = this.#blocks[at]!;
    const count = this.#counts[at]!;
    block.copyWithin(place & 511, (place & 511) + 1, count);
    this.#counts[at] = count - 1;
    if (count > 1) return;
    this.#blocks.splice(at, 1);
    this.#counts.splice(at, 1);
  }

  #split(at: number): void {
    const block = this.#blocks[at]!;
    const upper = new Int32Array(BLOCK);
    upper.set(block.subarray(BLOCK / 2));
    this.#blocks.splice(at + 1, 0, upper);
    this.#counts.splice(at + 1, 0, BLOCK / 2);
    this.#counts[at] = BLOCK / 2;
  }
}
