import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Auction, Bid, Person } from './events.ts';
import { events } from './load.ts';

const ALL = [...events(50_000, 7)];
const persons = ALL.flatMap((event): Person[] => (event.kind === 'person' ? [event.person] : []));
const auctions = ALL.flatMap((event): Auction[] => (event.kind === 'auction' ? [event.auction] : []));
const bids = ALL.flatMap((event): Bid[] => (event.kind === 'bid' ? [event.bid] : []));
const share = <T>(list: readonly T[], holds: (each: T) => boolean) => list.filter(holds).length / list.length;
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

test('of 50 events one is a person, three are auctions, 46 are bids', () => {
  assert.deepEqual([persons.length, auctions.length, bids.length], [1000, 3000, 46_000]);
});

test('half of the bids go to hot auctions, and three of four bids and auctions are those of hot persons', () => {
  assert.ok(Math.abs(share(bids, ({ auction }) => (auction - 1000) % 100 === 0) - 0.5) < 0.02);
  assert.ok(Math.abs(share(bids, ({ bidder }) => (bidder - 1000) % 100 === 1) - 0.75) < 0.02);
  assert.ok(Math.abs(share(auctions, ({ seller }) => (seller - 1000) % 100 === 0) - 0.75) < 0.03);
});

test('some hundred auctions are open at any time', () => {
  const at = auctions[2000]!.time;
  const open = auctions.filter(({ time, expires }) => time <= at && expires >= at).length;
  assert.ok(open > 50 && open < 200, `${open} open`);
});

test('prices are spread evenly over six powers of ten', () => {
  for (let power = 2; power < 8; power++) {
    const within = share(bids, ({ price }) => price >= 10 ** power && price < 10 ** (power + 1));
    assert.ok(Math.abs(within - 1 / 6) < 0.02, `${within} from 10^${power}`);
  }
});

test('each bid is on an auction that was opened before it', () => {
  const opened = new Map(auctions.map(({ id, time }) => [id, time]));
  assert.ok(bids.filter(({ auction, time }) => (opened.get(auction) ?? Infinity) > time).length === 0);
});

test('records have the published sizes', () => {
  const size = (record: object) =>
    Object.values(record).reduce((sum, field) => sum + (typeof field === 'string' ? field.length : 8), 0);
  assert.ok(Math.abs(mean(persons.map(size)) - 200) < 40);
  assert.ok(Math.abs(mean(auctions.map(size)) - 500) < 60);
  assert.ok(Math.abs(mean(bids.map(size)) - 100) < 30);
});

test('equal seeds make equal events, others others', () => {
  const first = (seed: number) => JSON.stringify([...events(200, seed)]);
  assert.equal(first(3), first(3));
  assert.notEqual(first(3), first(4));
});
