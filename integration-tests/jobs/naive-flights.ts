import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { parquetRead } from 'hyparquet';
import { type AirportHour, dataFile, HOUR_MS } from '../../examples/flights/topology.ts';

export interface Expected {
  /** By `code hour`, the hour in milliseconds. */
  readonly hours: ReadonlyMap<string, AirportHour>;
  readonly flights: number;
  /** The lines of `--json`. */
  readonly lines: readonly string[];
}

interface Sums {
  readonly code: string;
  readonly hourMs: number;
  departures: number;
  delay: number;
  worst: number;
  delayed: number;
}

/** The figures of the main job as anybody would compute them: the library, a Map, nothing of the engine. */
export async function naiveFlights(): Promise<Expected> {
  const sums = await sumUp();
  const airports = readAirports();
  const hours = new Map<string, AirportHour>();
  const ranked: { readonly sums: Sums; readonly hour: AirportHour }[] = [];
  let flights = 0;
  for (const [key, one] of sums) {
    const { departures, delay, worst, delayed, code } = one;
    const [name, city, state] = airports.get(code)!;
    flights += departures;
    const hour = {
      departures,
      meanDelay: delay / departures,
      worstDelay: worst,
      delayedShare: delayed / departures,
      name,
      city,
      state,
    };
    hours.set(key, hour);
    if (departures >= 10) ranked.push({ sums: one, hour });
  }
  ranked.sort(
    (a, b) =>
      b.hour.meanDelay - a.hour.meanDelay ||
      a.sums.hourMs - b.sums.hourMs ||
      (a.sums.code < b.sums.code ? -1 : a.sums.code > b.sums.code ? 1 : 0),
  );
  const lines = ranked
    .slice(0, 10)
    .map(({ sums: { code, hourMs }, hour }) =>
      JSON.stringify({ airport: code, hour: new Date(hourMs).toISOString(), ...hour }),
    );
  lines.push(JSON.stringify({ airportHours: hours.size, flights }));
  return { hours, flights, lines };
}

async function sumUp(): Promise<ReadonlyMap<string, Sums>> {
  const bytes = readFileSync(dataFile('flights-3m.parquet'));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const sums = new Map<string, Sums>();
  await parquetRead({
    file,
    columns: ['date', 'delay', 'origin'],
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    onComplete(rows) {
      for (const [date, late, origin] of rows as unknown as [Date, bigint, string][]) {
        const hourMs = Math.floor(date.getTime() / HOUR_MS) * HOUR_MS;
        const delay = Number(late);
        const key = `${origin} ${hourMs}`;
        let one = sums.get(key);
        if (one === undefined) {
          one = { code: origin, hourMs, departures: 0, delay: 0, worst: Number.NEGATIVE_INFINITY, delayed: 0 };
          sums.set(key, one);
        }
        one.departures++;
        one.delay += delay;
        one.worst = Math.max(one.worst, delay);
        if (delay > 15) one.delayed++;
      }
    },
  });
  return sums;
}

function readAirports(): ReadonlyMap<string, [name: string, city: string, state: string]> {
  const [, ...lines] = readFileSync(dataFile('airports.csv'), 'utf8').trim().split(/\r?\n/);
  return new Map(
    lines.map((line) => {
      const fields = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) =>
        field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!,
      );
      return [fields[0]!, [fields[1]!, fields[2]!, fields[3]!]];
    }),
  );
}
