import type { DaySums, Results, WorstHour } from './results.ts';

/** The results for people: a table, the totals, and the mean delay of every day as a line of bars. */
const DAY_MS = 86_400_000;
const BARS = '▁▂▃▄▅▆▇█';
const MOST_BARS = 91;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As lines of at most `width` columns. */
export function printable(results: Results, width: number): string {
  const { worst, airportHours, flights, days } = results;
  const lines = [
    '',
    'The worst airport-hours: at least ten departures, by mean delay (minutes; times as if UTC)',
    '',
    ...table(worst),
    '',
    `${whole(airportHours)} airport-hours, ${whole(flights)} flights`,
  ];
  if (days.length > 0) lines.push('', ...delayOfDays(days, Math.min(width, MOST_BARS)));
  return lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line)).join('\n');
}

function table(worst: readonly WorstHour[]): readonly string[] {
  const rows = worst.map((hour, place) => [
    String(place + 1),
    hour.airport,
    new Date(hour.hourMs).toISOString().slice(0, 16).replace('T', ' '),
    whole(hour.departures),
    hour.meanDelay.toFixed(1),
    whole(hour.worstDelay),
    `${Math.round(hour.delayedShare * 100)}%`,
    `${hour.name}, ${hour.city}, ${hour.state}`,
  ]);
  const heads = ['#', 'code', 'hour', 'departures', 'mean', 'worst', '>15 min', 'airport'];
  const isText = [false, true, true, false, false, false, false, true];
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (isText[column] ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(heads), ...rows.map(line)];
}

/** Equal spans of days from the first to the last, with their months below. */
function delayOfDays(days: readonly DaySums[], width: number): readonly string[] {
  const first = days[0]!.dayMs;
  const count = (days.at(-1)!.dayMs - first) / DAY_MS + 1;
  const perBar = Math.ceil(count / width);
  const spans = Array.from({ length: Math.ceil(count / perBar) }, () => ({ flights: 0, delay: 0 }));
  for (const { dayMs, flights, delay } of days) {
    const span = spans[Math.floor((dayMs - first) / DAY_MS / perBar)]!;
    span.flights += flights;
    span.delay += delay;
  }
  const means = spans.map(({ flights, delay }) => (flights === 0 ? undefined : delay / flights));
  const known = means.filter((mean) => mean !== undefined);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const each = perBar === 1 ? 'a day' : `${perBar} days`;
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return [
    `Mean delay from ${at(first)} to ${at(days.at(-1)!.dayMs)}, ${each} a bar, ${least.toFixed(1)} to ${most.toFixed(1)} minutes`,
    '',
    sparkline(means),
    monthsBelow(first, spans.length, perBar),
  ];
}

/** Values as bars between the least and the greatest; a blank where there is none. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const least = Math.min(...known);
  const range = Math.max(...known) - least || 1;
  const bar = (value: number) => BARS[Math.min(BARS.length - 1, Math.floor(((value - least) / range) * BARS.length))];
  return values.map((value) => (value === undefined ? ' ' : bar(value))).join('');
}

/** The name of a month below the bar that holds its first day, where there is room for it. */
function monthsBelow(first: number, bars: number, perBar: number): string {
  let line = '';
  for (let bar = 0; bar < bars; bar++) {
    for (let day = bar * perBar; day < (bar + 1) * perBar; day++) {
      const date = new Date(first + day * DAY_MS);
      const name = MONTHS[date.getUTCMonth()]!;
      const isBegun = date.getUTCDate() === 1 || (day === 0 && date.getUTCDate() <= 15);
      if (isBegun && line.length <= bar && bar + name.length <= bars) line = line.padEnd(bar) + name;
    }
  }
  return line;
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}
