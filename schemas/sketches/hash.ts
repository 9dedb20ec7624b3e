/**
 * A 64-bit hash as two halves, `high` and `low`, until the next call. Rows of sketches that were written stay
 * readable only as long as it answers the same.
 */
export const hash = { high: 0, low: 0 };

/** Texts by their UTF-16 units, numbers by the words of a double: `1` and `'1'` are two things. */
export function hashOf(value: string | number | boolean): void {
  if (typeof value === 'string') {
    let a = 0x9e3779b9;
    let b = 0x7f4a7c15;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x5f356495);
    }
    finish(a ^ value.length, b);
    return;
  }
  DOUBLE[0] = value === true ? Number.MAX_VALUE : value === false ? -Number.MAX_VALUE : value + 0;
  const first = WORDS[0]!;
  const second = WORDS[1]!;
  const a = Math.imul(Math.imul(0x85ebca6b ^ first, 0x9e3779b1) ^ second, 0x9e3779b1);
  const b = Math.imul(Math.imul(0xc2b2ae35 ^ first, 0x5f356495) ^ second, 0x5f356495);
  finish(a, b);
}

const DOUBLE = new Float64Array(1);
const WORDS = new Int32Array(DOUBLE.buffer);

/** Each half takes part in the other, so that every bit of the value moves every bit of both. */
function finish(a: number, b: number): void {
  const left = mix(a ^ (b >>> 15));
  const right = mix(b ^ left);
  hash.high = mix(left ^ Math.imul(right, 0x9e3779b1)) >>> 0;
  hash.low = right >>> 0;
}

function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
