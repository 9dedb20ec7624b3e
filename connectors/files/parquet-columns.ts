import { FlowError } from '../../core/errors.ts';
import { readonlyView } from '../../core/flyweight.ts';

/** The values of one column in one row group: doubles where all are numbers, else values and nulls. */
export type Column = Float64Array | readonly unknown[];

/** Joins the pieces of a column of `rows` values, with whole numbers of 64 bits as numbers. */
export function columnOf(
  pieces: readonly { readonly at: number; readonly data: ArrayLike<unknown> }[],
  rows: number,
  where: string,
): Column {
  let have = 0;
  for (const { data } of pieces) have += data.length;
  if (have !== rows) {
    throw new FlowError(
      'file.broken',
      `${where}: has ${have} values where the file says ${rows}; fetch the file again`,
    );
  }
  return numbers(pieces, rows, where) ?? mixed(pieces, rows, where);
}

function numbers(pieces: Parameters<typeof columnOf>[0], rows: number, where: string): Float64Array | undefined {
  const column = new Float64Array(rows);
  for (const { at, data } of pieces) {
    for (let i = 0; i < data.length; i++) {
      const value = data[i];
      if (typeof value === 'number') column[at + i] = value;
      else if (typeof value === 'bigint') column[at + i] = toNumber(value, where);
      else return undefined;
    }
  }
  return column;
}

function mixed(pieces: Parameters<typeof columnOf>[0], rows: number, where: string): unknown[] {
  const column = new Array<unknown>(rows);
  for (const { at, data } of pieces) {
    for (let i = 0; i < data.length; i++) {
      const value = data[i];
      column[at + i] = typeof value === 'bigint' ? toNumber(value, where) : (value ?? null);
    }
  }
  return column;
}

function toNumber(value: bigint, where: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new FlowError('file.broken', `${where}: holds a number beyond ±2^53; leave out this column`);
  return number;
}

/**
 * A flyweight over columns: moved to a row it reads that row's values when they are asked for. Another set of columns
 * may bring another one: a field of numbers is not read as one of values is, so that each stays fast.
 */
export function rowView<T extends object>(names: readonly string[]): (columns: readonly Column[], row: number) => T {
  const numbers: Float64Array[] = [];
  const values: (readonly unknown[])[] = [];
  let columns: readonly Column[] | undefined;
  let row = 0;
  const numberAt = (i: number) => () => numbers[i]![row];
  const valueAt = (i: number) => () => values[i]![row];

  const views = new Map<string, T>();
  function viewOf(next: readonly Column[]): T {
    const form = next.map((column) => (column instanceof Float64Array ? 'n' : 'v')).join('');
    let view = views.get(form);
    if (view === undefined) {
      const fields = names.map((name, i) => [name, form[i] === 'n' ? numberAt(i) : valueAt(i)] as const);
      view = readonlyView(Object.fromEntries(fields)) as T;
      views.set(form, view);
    }
    next.forEach((column, i) => {
      if (column instanceof Float64Array) numbers[i] = column;
      else values[i] = column;
    });
    return view;
  }

  let view: T;
  return (next, at) => {
    if (next !== columns) {
      columns = next;
      view = viewOf(next);
    }
    row = at;
    return view;
  };
}
