import type { Labels, MetricRow } from './telemetry.ts';

/** Rows, sorted by name, as Prometheus text (format 0.0.4). */
export function expositionOf(rows: readonly MetricRow[]): string {
  const lines: string[] = [];
  let last = '';
  for (const row of rows) {
    if (row.name !== last) {
      last = row.name;
      lines.push(`# HELP ${row.name} ${row.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
      lines.push(`# TYPE ${row.name} ${row.type}`);
    }
    if (row.type !== 'histogram') lines.push(`${row.name}${labelled(row.labels)} ${number(row.values[0]!)}`);
    else histogramLines(row, lines);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function histogramLines(row: MetricRow, lines: string[]): void {
  const [count, sum, ...buckets] = row.values;
  row.bounds!.forEach((bound, i) => {
    lines.push(`${row.name}_bucket${labelled({ ...row.labels, le: number(bound) })} ${number(buckets[i]!)}`);
  });
  lines.push(`${row.name}_bucket${labelled({ ...row.labels, le: '+Inf' })} ${number(count!)}`);
  lines.push(`${row.name}_sum${labelled(row.labels)} ${number(sum!)}`);
  lines.push(`${row.name}_count${labelled(row.labels)} ${number(count!)}`);
}

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
