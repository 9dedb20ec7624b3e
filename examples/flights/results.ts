import type { Windowed } from '../../index.ts';
import type { AirportHour } from './topology.ts';

/** The figures that the example prints, from all final airport-hours in whatever order they come. */
const WORST = 10;
/** An airport-hour with fewer departures says little. */
const LEAST_DEPARTURES = 10;

export interface WorstHour extends AirportHour {
  readonly airport: string;
  readonly hourMs: number;
}

export interface Results {
  readonly worst: readonly WorstHour[];
  readonly airportHours: number;
  readonly flights: number;
  /** Mean delay in minutes per day, over all airports, in order of days. */
  readonly dailyMeanDelay: readonly number[];
}

const DAY_MS = 86_400_000;

export class ResultCollector {
  readonly #worst: WorstHour[] = [];
  readonly #days = new Map<number, { flights: number; delay: number }>();
  #airportHours = 0;
  #flights = 0;

  /** Takes one final result; the value may be a view, it is copied where it is kept. */
  add(hour: Windowed<string>, value: AirportHour): void {
    this.#airportHours++;
    this.#flights += value.departures;
    const day = Math.floor(hour.start / DAY_MS);
    const sums = this.#days.get(day) ?? { flights: 0, delay: 0 };
    sums.flights += value.departures;
    sums.delay += value.meanDelay * value.departures;
    this.#days.set(day, sums);
    if (value.departures < LEAST_DEPARTURES) return;
    const last = this.#worst.at(-1);
    if (this.#worst.length === WORST && value.meanDelay < last!.meanDelay) return;
    this.#worst.push({ ...value, airport: hour.key, hourMs: hour.start });
    this.#worst.sort((a, b) => b.meanDelay - a.meanDelay || a.hourMs - b.hourMs || (a.airport < b.airport ? -1 : 1));
    this.#worst.length = Math.min(this.#worst.length, WORST);
  }

  results(): Results {
    const days = [...this.#days].sort(([a], [b]) => a - b);
    return {
      worst: this.#worst,
      airportHours: this.#airportHours,
      flights: this.#flights,
      dailyMeanDelay: days.map(([, { flights, delay }]) => delay / flights),
    };
  }
}

/** One line as `--json` prints it. */
export function jsonLine(hour: WorstHour): string {
  const { airport, hourMs, departures, meanDelay, worstDelay, delayedShare, name, city, state } = hour;
  const at = new Date(hourMs).toISOString();
  return JSON.stringify({ airport, hour: at, departures, meanDelay, worstDelay, delayedShare, name, city, state });
}

const BARS = '▁▂▃▄▅▆▇█';

/** Values as bars, from the least to the greatest; at most `width` of them, by means of equal spans. */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns);
    const span = values.slice(from, Math.max(from + 1, Math.floor(((i + 1) * values.length) / columns)));
    return span.reduce((sum, value) => sum + value, 0) / span.length;
  });
  const least = Math.min(...means);
  const range = Math.max(...means) - least || 1;
  return means
    .map((mean) => BARS[Math.min(BARS.length - 1, Math.floor(((mean - least) / range) * BARS.length))])
    .join('');
}

/** The results for people. */
export function printable(results: Results): string {
  const rows = results.worst.map((hour, place) => {
    const at = new Date(hour.hourMs).toISOString().slice(0, 16).replace('T', ' ');
    const share = `${Math.round(hour.delayedShare * 100)} %`;
    return [
      String(place + 1).padStart(2),
      hour.airport.padEnd(4),
      at,
      String(hour.departures).padStart(10),
      hour.meanDelay.toFixed(1).padStart(10),
      String(hour.worstDelay).padStart(6),
      share.padStart(8),
      ` ${hour.name}, ${hour.city}, ${hour.state}`,
    ].join('  ');
  });
  const head = ' #  code  hour (UTC)        departures  mean delay   worst   delayed   airport';
  const days = results.dailyMeanDelay;
  return [
    'The ten worst airport-hours (at least ten departures, by mean delay in minutes)',
    '',
    head,
    ...rows,
    '',
    `${results.airportHours.toLocaleString('en')} airport-hours, ${results.flights.toLocaleString('en')} flights`,
    '',
    `Mean delay per day, ${days.length} days, ${Math.min(...days).toFixed(0)} to ${Math.max(...days).toFixed(0)} minutes`,
    sparkline(days, 91),
  ].join('\n');
}
