import type { Windowed } from '../../index.ts';
import type { AirportHour } from './topology.ts';

/** The figures that the example prints, from all final airport-hours in whatever order they come. */
const WORST = 10;
/** An airport-hour with fewer departures says little. */
const LEAST_DEPARTURES = 10;
const DAY_MS = 86_400_000;

export interface WorstHour extends AirportHour {
  readonly airport: string;
  readonly hourMs: number;
}

export interface Results {
  /** By mean delay, then the earlier hour, then the code of the airport. */
  readonly worst: readonly WorstHour[];
  readonly airportHours: number;
  readonly flights: number;
  /** In order; a day without flights is not among them. */
  readonly days: readonly DaySums[];
}

/** All flights of a day, over all airports. */
export interface DaySums {
  readonly dayMs: number;
  readonly flights: number;
  /** Minutes, of all flights together. */
  readonly delay: number;
}

export class ResultCollector {
  readonly #worst: WorstHour[] = [];
  readonly #days = new Map<number, { dayMs: number; flights: number; delay: number }>();
  #airportHours = 0;
  #flights = 0;

  /** Takes one final result; the value may be a view, it is copied where it is kept. */
  add(hour: Windowed<string>, value: AirportHour): void {
    const { departures, meanDelay } = value;
    this.#airportHours++;
    this.#flights += departures;
    const dayMs = hour.start - (hour.start % DAY_MS);
    let day = this.#days.get(dayMs);
    if (day === undefined) {
      day = { dayMs, flights: 0, delay: 0 };
      this.#days.set(dayMs, day);
    }
    day.flights += departures;
    day.delay += meanDelay * departures;
    if (departures < LEAST_DEPARTURES) return;
    if (this.#worst.length === WORST && meanDelay < this.#worst.at(-1)!.meanDelay) return;
    this.#worst.push({ ...value, airport: hour.key, hourMs: hour.start });
    this.#worst.sort(byDelay);
    this.#worst.length = Math.min(this.#worst.length, WORST);
  }

  results(): Results {
    const days = [...this.#days.values()].sort((a, b) => a.dayMs - b.dayMs);
    return { worst: this.#worst, airportHours: this.#airportHours, flights: this.#flights, days };
  }
}

function byDelay(a: WorstHour, b: WorstHour): number {
  return b.meanDelay - a.meanDelay || a.hourMs - b.hourMs || (a.airport < b.airport ? -1 : 1);
}

/** One airport-hour as `--json` prints it. */
export function jsonLine(hour: WorstHour): string {
  const { airport, hourMs, departures, meanDelay, worstDelay, delayedShare, name, city, state } = hour;
  const at = new Date(hourMs).toISOString();
  return JSON.stringify({ airport, hour: at, departures, meanDelay, worstDelay, delayedShare, name, city, state });
}

/** The last line of `--json`. */
export function totalsLine({ airportHours, flights }: Results): string {
  return JSON.stringify({ airportHours, flights });
}
