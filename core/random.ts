import { randomFillSync } from 'node:crypto';

/** The only source of randomness: seeded, so that every run can be repeated. Values in [0, 1). */
export interface Random {
  next(): number;
}

/** Mulberry32: small, fast, good enough for schedules and faults; not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}

/** A seed drawn from a name, so that what hangs on it is the same wherever it is done again: FNV-1a, 32 bits. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Two letters or digits a byte. */
const ID_LENGTH = 22;
/** Drawn at once for some ids; each keeps the text of all alive, so they are few. */
const drawn = Buffer.alloc((32 * ID_LENGTH) / 2);
let ids = '';
let used = 0;

/**
 * Tells apart what must never be mistaken for another, over all machines and times, and is not to be guessed: 22 letters
 * and digits.
 */
export function uniqueId(): string {
  if (used === ids.length) {
    ids = randomFillSync(drawn).toString('hex');
    used = 0;
  }
  used += ID_LENGTH;
  return ids.slice(used - ID_LENGTH, used);
}

/** A whole number in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}
