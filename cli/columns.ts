/** Rows as columns of equal width, numbers to the right. */
export function columnsOf(columns: readonly string[], rows: readonly object[]): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => (row as { readonly [column: string]: unknown })[column]));
  const text = (value: unknown) => (typeof value === 'number' ? value.toLocaleString('en-US') : String(value ?? '-'));
  const widths = columns.map((name, i) => Math.max(name.length, ...cells.map((row) => text(row[i]).length)));
  const isNumber = columns.map((_, i) => cells.some((row) => typeof row[i] === 'number'));
  const line = (row: readonly unknown[]) =>
    row
      .map((value, i) => (isNumber[i] ? text(value).padStart(widths[i]!) : text(value).padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(columns), ...cells.map(line)];
}
