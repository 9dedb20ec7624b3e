import type { Auction, Bid, Event, Person } from './events.ts';

/** Parts of the plain computations that the engine's results are held against. */
export function* bidsOf(events: Iterable<Event>): Generator<Bid> {
  for (const event of events) if (event.kind === 'bid') yield event.bid;
}

export function* auctionsOf(events: Iterable<Event>): Generator<Auction> {
  for (const event of events) if (event.kind === 'auction') yield event.auction;
}

export function* personsOf(events: Iterable<Event>): Generator<Person> {
  for (const event of events) if (event.kind === 'person') yield event.person;
}

/** The entry of a key, made where there is none. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** For each auction the bid that wins: the highest within the auction's time, of equal ones the earliest. */
export function winningBids(events: Iterable<Event>): Map<number, { readonly auction: Auction; readonly bid: Bid }> {
  const auctions = new Map<number, Auction>();
  const winners = new Map<number, { readonly auction: Auction; readonly bid: Bid }>();
  for (const event of events) {
    if (event.kind === 'auction') auctions.set(event.auction.id, event.auction);
    if (event.kind !== 'bid') continue;
    const { bid } = event;
    const auction = auctions.get(bid.auction);
    if (auction === undefined || bid.time < auction.time || bid.time > auction.expires) continue;
    const before = winners.get(auction.id)?.bid;
    if (before === undefined || bid.price > before.price) winners.set(auction.id, { auction, bid });
  }
  return winners;
}
