/**
 * The events of an online auction, as the Nexmark benchmark has them: of 50 events in a row one is a new person, three
 * are new auctions and 46 are bids. Written from the published description of its generator (Tucker, Tufte, Papadimos
 * and Maier, "NEXMark", and the defaults that its users kept): half of the bids go to the newest hot auction, three of
 * four come from the newest hot bidder, and as many auctions come from a hot seller; prices are spread evenly over six
 * powers of ten; some hundred auctions are open at any time; records are about 200, 500 and 100 bytes.
 *
 * Event n depends on n and the seed alone.
 */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly time: number;
  readonly extra: string;
}

export interface Auction {
  readonly id: number;
  readonly item: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly time: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly time: number;
  readonly extra: string;
}

export type Event =
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'auction'; readonly auction: Auction }
  | { readonly kind: 'bid'; readonly bid: Bid };

const PERSONS = 1;
const AUCTIONS = 3;
const ROUND = 50;
const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
const OPEN_AUCTIONS = 100;
const ACTIVE_PERSONS = 1000;
/** One in so many is not hot. */
const COLD = { auction: 2, bidder: 4, seller: 4 };
/** A hot auction stays so for so many auctions; persons likewise. */
const HOT_SPAN = 100;
const BYTES = { person: 200, auction: 500, bid: 100 };
/** Event time: ten thousand events a second. */
const EVENTS_PER_MS = 10;
const START_MS = 1_436_918_400_000;

const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
];
const FIRST_NAMES = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const LAST_NAMES = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];
const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];

export function timeOf(n: number): number {
  return START_MS + Math.floor(n / EVENTS_PER_MS);
}

/** Event n of the sequence that the seed gives. */
export function makeEvent(n: number, seed: number): Event {
  const round = Math.floor(n / ROUND);
  const place = n % ROUND;
  const draw = new Draw(n, seed);
  if (place < PERSONS) return { kind: 'person', person: makePerson(FIRST_ID + round, timeOf(n), draw) };
  if (place < PERSONS + AUCTIONS) {
    const id = FIRST_ID + round * AUCTIONS + place - PERSONS;
    return { kind: 'auction', auction: makeAuction(id, n, lastPerson(round), draw) };
  }
  return { kind: 'bid', bid: makeBid(n, round, draw) };
}

function makePerson(id: number, time: number, draw: Draw): Person {
  const first = draw.of(FIRST_NAMES);
  const last = draw.of(LAST_NAMES);
  const name = `${first} ${last}`;
  const email = `${draw.letters(7)}@${draw.letters(5)}.com`;
  const creditCard = Array.from({ length: 4 }, () => String(1000 + draw.below(9000))).join(' ');
  const city = draw.of(CITIES);
  const state = draw.of(STATES);
  const used = 24 + name.length + email.length + creditCard.length + city.length;
  return { id, name, email, creditCard, city, state, time, extra: draw.padding(BYTES.person - used) };
}

function makeAuction(id: number, n: number, newest: number, draw: Draw): Auction {
  const time = timeOf(n);
  const hot = draw.below(COLD.seller) > 0;
  const seller = hot ? hotOf(newest) : draw.near(newest, ACTIVE_PERSONS);
  const initialBid = draw.price();
  const reserve = initialBid + draw.price();
  const item = draw.letters(20);
  const description = draw.letters(100);
  // long enough for the wanted number of open auctions
  const horizonMs = timeOf(n + Math.floor((OPEN_AUCTIONS * ROUND) / AUCTIONS)) - time;
  const expires = time + 1 + draw.below(Math.max(1, horizonMs * 2));
  const category = FIRST_CATEGORY + draw.below(CATEGORIES);
  const extra = draw.padding(BYTES.auction - 48 - item.length - description.length);
  return { id, item, description, initialBid, reserve, time, expires, seller, category, extra };
}

function makeBid(n: number, round: number, draw: Draw): Bid {
  const newest = FIRST_ID + round * AUCTIONS + AUCTIONS - 1;
  const auction = draw.below(COLD.auction) > 0 ? hotOf(newest) : draw.near(newest, OPEN_AUCTIONS);
  const person = lastPerson(round);
  const bidder = draw.below(COLD.bidder) > 0 ? hotOf(person) + 1 : draw.near(person, ACTIVE_PERSONS);
  const channel = draw.of(CHANNELS);
  const url = `https://www.nexmark.com/${draw.letters(5)}/item.htm?query=1`;
  const extra = draw.padding(BYTES.bid - 32 - channel.length - url.length);
  return { auction, bidder, price: draw.price(), channel, url, time: timeOf(n), extra };
}

function lastPerson(round: number): number {
  return FIRST_ID + round;
}

function hotOf(newest: number): number {
  return FIRST_ID + Math.floor((newest - FIRST_ID) / HOT_SPAN) * HOT_SPAN;
}

/** Random numbers that the place in the sequence gives: a mixing function over a counter, so no event needs another. */
class Draw {
  #state: number;

  constructor(n: number, seed: number) {
    this.#state = mix((n & 0x7fffffff) ^ Math.imul(seed | 1, 0x9e3779b9) ^ Math.floor(n / 0x80000000));
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state) >>> 0;
  }

  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** One of the `active` newest ids. */
  near(newest: number, active: number): number {
    const known = Math.min(newest - FIRST_ID + 1, active);
    return newest - known + 1 + this.below(known);
  }

  /** In cents, from one to a million. */
  price(): number {
    return Math.round(10 ** ((this.#next() / 0x1_0000_0000) * 6) * 100);
  }

  letters(most: number): string {
    const length = 3 + this.below(Math.max(1, most - 3));
    return this.padding(length);
  }

  padding(length: number): string {
    let text = '';
    while (text.length < length) text += LETTERS[this.below(LETTERS.length)]!;
    return text.slice(0, Math.max(0, length));
  }
}

/** Pieces of eight letters: drawing each letter would be the generator's whole work. */
const LETTERS = Array.from({ length: 64 }, (_, n) =>
  Array.from({ length: 8 }, (_each, i) => String.fromCharCode(97 + ((mix(n * 8 + i) >>> 0) % 26))).join(''),
);

function mix(plain: number): number {
  let z = Math.imul(plain ^ (plain >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
