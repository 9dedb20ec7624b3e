import { type Millis, type Position, partitionName } from '../core/ids.ts';
import { pageSize, placeText, readPlace } from '../core/pages.ts';
import type { Backwards } from './backwards.ts';
import type { LetterPage } from './letters.ts';

/** Positions that one page looks at, at least: what nothing is found in is told by a page that has a next one. */
const MOST_LOOKED = 20_000;
/** And bytes of what it holds. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Where each partition was read to, by `topic/partition`. */
type Places = { readonly [partition: string]: Position };

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

/**
 * A page of what several partitions hold, the newest first. Each partition is in order, and what the page behind it begins
 * with is said by a position of each.
 */
export async function pageOf<Row extends { readonly at: Millis }>(
  query: PageQuery,
  partitions: (below: (topic: string, partition: number) => Position | undefined) => Promise<readonly Backwards<Row>[]>,
  fits: (row: Row) => boolean,
  sizeOf: (row: Row) => number,
): Promise<LetterPage<Row>> {
  const limit = pageSize(query.limit);
  const places = query.after === undefined ? undefined : readPlace(query.after, readPlaces);
  const sources = await partitions((topic, partition) =>
    // one that is not told is over, or has come since and lies before the page
    places === undefined ? undefined : (places[partitionName(topic, partition)] ?? 0),
  );
  const rows: Row[] = [];
  let bytes = 0;
  while (rows.length < limit && bytes < MOST_BYTES && looked(sources) <= MOST_LOOKED) {
    const newest = await newestOf(sources);
    if (newest === undefined) break;
    newest.source.take();
    if (!fits(newest.row)) continue;
    rows.push(newest.row);
    bytes += sizeOf(newest.row);
  }
  const isOver = sources.every((source) => source.isOver);
  return { rows, next: isOver ? null : placeText(placesOf(sources)) };
}

function looked(sources: readonly Backwards<unknown>[]): number {
  return sources.reduce((sum, source) => sum + source.looked, 0);
}

async function newestOf<Row extends { readonly at: Millis }>(sources: readonly Backwards<Row>[]) {
  let newest: { readonly source: Backwards<Row>; readonly row: Row } | undefined;
  for (const source of sources) {
    const row = await source.peek();
    if (row !== undefined && (newest === undefined || row.at > newest.row.at)) newest = { source, row };
  }
  return newest;
}

function placesOf(sources: readonly Backwards<unknown>[]): Places {
  const left = sources.filter((source) => !source.isOver);
  return Object.fromEntries(
    left.map(({ topic, partition, below }) => [partitionName(topic, partition), below] as const),
  );
}

function readPlaces(place: unknown): Places | undefined {
  const isPlaces =
    typeof place === 'object' &&
    place !== null &&
    !Array.isArray(place) &&
    Object.values(place).every((below) => Number.isSafeInteger(below) && below >= 0);
  return isPlaces ? Object.assign(Object.create(null), place) : undefined;
}
