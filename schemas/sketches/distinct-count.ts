import { type Bytes, EMPTY } from '../../core/bytes.ts';
import { hash, hashOf } from './hash.ts';

/** What can be told apart and counted. */
export type Countable = string | number | boolean;

const SPARSE = 1;
const DENSE = 2;
const HEADER = 2;
/** A register that is not 0: its number in two bytes, then its rank. */
const ENTRY = 3;
const HASH_BITS = 64;

/**
 * HyperLogLog: about how many different values were added, in at most `2^precision` registers of a byte, with a
 * standard error of `1.04 / sqrt(2^precision)`. Adding one twice changes nothing, and merging two gives what adding
 * all to one would have given. While few registers are in use, only those are kept.
 *
 * The estimate is the maximum-likelihood-like one of O. Ertl, "New cardinality estimation algorithms for HyperLogLog
 * sketches" (2017), which is unbiased from 0 on and needs no tables.
 *
 * The bytes are the state: form, precision, then the registers in use in order, or all.
 */
export class DistinctCount {
  #bytes: Bytes = EMPTY;
  #start = 0;
  #end = 0;

  static empty(precision: number): DistinctCount {
    const made = new DistinctCount();
    made.moveTo(Buffer.from([SPARSE, precision]), 0, HEADER);
    return made;
  }

  /** Stands over these bytes. To add to it, they must be its own. */
  moveTo(bytes: Bytes, start: number, end: number): this {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return this;
  }

  get bytes(): Bytes {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  get precision(): number {
    return this.#bytes[this.#start + 1]!;
  }

  /** About how many different values were added, as a whole number. */
  get estimate(): number {
    const { precision } = this;
    const count = 2 ** precision;
    const most = HASH_BITS - precision;
    const ranks = new Float64Array(most + 2);
    if (this.#isDense) {
      for (let at = this.#start + HEADER; at < this.#end; at++) ranks[this.#bytes[at]!]!++;
    } else {
      for (let at = this.#start + HEADER; at < this.#end; at += ENTRY) ranks[this.#bytes[at + 2]!]!++;
      ranks[0] = count - (this.#end - this.#start - HEADER) / ENTRY;
    }
    let z = count * tau(1 - ranks[most + 1]! / count);
    for (let rank = most; rank >= 1; rank--) z = 0.5 * (z + ranks[rank]!);
    z += count * sigma(ranks[0]! / count);
    return Math.round((count * count) / (2 * Math.LN2 * z));
  }

  toJSON(): { readonly estimate: number } {
    return { estimate: this.estimate };
  }

  /** Answers whether it changed. */
  add(value: Countable): boolean {
    hashOf(value);
    const { precision } = this;
    const register = hash.high >>> (HASH_BITS / 2 - precision);
    const rest = (hash.high << precision) >>> 0;
    const rank = rest === 0 ? HASH_BITS / 2 - precision + Math.clz32(hash.low) + 1 : Math.clz32(rest) + 1;
    return this.#raise(register, rank);
  }

  /** Takes what the other was given. Both have one precision. */
  merge(other: DistinctCount): void {
    const bytes = other.#bytes;
    if (other.#isDense) {
      const from = other.#start + HEADER;
      for (let at = from; at < other.#end; at++) if (bytes[at]! > 0) this.#raise(at - from, bytes[at]!);
      return;
    }
    for (let at = other.#start + HEADER; at < other.#end; at += ENTRY) {
      this.#raise(bytes.readUInt16BE(at), bytes[at + 2]!);
    }
  }

  get #isDense(): boolean {
    return this.#bytes[this.#start] === DENSE;
  }

  #raise(register: number, rank: number): boolean {
    if (!this.#isDense) return this.#raiseSparse(register, rank);
    const at = this.#start + HEADER + register;
    if (this.#bytes[at]! >= rank) return false;
    this.#bytes[at] = rank;
    return true;
  }

  #raiseSparse(register: number, rank: number): boolean {
    let low = 0;
    let high = (this.#end - this.#start - HEADER) / ENTRY;
    const first = this.#start + HEADER;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bytes.readUInt16BE(first + middle * ENTRY) < register) low = middle + 1;
      else high = middle;
    }
    const at = first + low * ENTRY;
    if (at < this.#end && this.#bytes.readUInt16BE(at) === register) {
      if (this.#bytes[at + 2]! >= rank) return false;
      this.#bytes[at + 2] = rank;
      return true;
    }
    if (this.#end - this.#start + ENTRY > HEADER + 2 ** this.precision) {
      this.#spread();
      return this.#raise(register, rank);
    }
    this.#insert(at, register, rank);
    return true;
  }

  #insert(at: number, register: number, rank: number): void {
    if (this.#end + ENTRY > this.#bytes.length) {
      const grown = Buffer.alloc((this.#end - this.#start) * 2 + 8 * ENTRY);
      this.#bytes.copy(grown, 0, this.#start, this.#end);
      at -= this.#start;
      this.moveTo(grown, 0, this.#end - this.#start);
    }
    this.#bytes.copyWithin(at + ENTRY, at, this.#end);
    this.#bytes.writeUInt16BE(register, at);
    this.#bytes[at + 2] = rank;
    this.#end += ENTRY;
  }

  /** From the registers in use to all of them. */
  #spread(): void {
    const all = Buffer.alloc(HEADER + 2 ** this.precision);
    all[0] = DENSE;
    all[1] = this.precision;
    for (let at = this.#start + HEADER; at < this.#end; at += ENTRY) {
      all[HEADER + this.#bytes.readUInt16BE(at)] = this.#bytes[at + 2]!;
    }
    this.moveTo(all, 0, all.length);
  }
}

/** Whether bytes are such a state of that precision. */
export function isDistinctCount(bytes: Bytes, start: number, end: number, precision: number): boolean {
  const length = end - start - HEADER;
  if (length < 0 || bytes[start + 1] !== precision) return false;
  return bytes[start] === DENSE ? length === 2 ** precision : bytes[start] === SPARSE && length % ENTRY === 0;
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let weight = 1;
  let sum = x;
  for (let before = Number.NaN; sum !== before; ) {
    power *= power;
    before = sum;
    sum += power * weight;
    weight += weight;
  }
  return sum;
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let weight = 1;
  let sum = 1 - x;
  for (let before = Number.NaN; sum !== before; ) {
    root = Math.sqrt(root);
    before = sum;
    weight *= 0.5;
    sum -= (1 - root) ** 2 * weight;
  }
  return sum / 3;
}
