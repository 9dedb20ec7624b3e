import type { Json } from '../../core/ids.ts';
import type { Run } from '../../runtime/runtime.ts';
import { CONTROL_STORE } from './program.ts';

const ROWS_AT_ONCE = 1000;

/** The rows of a partition of the control store within two names. */
export async function committedRows(
  run: Run,
  partition: number,
  from: string,
  to: string,
): Promise<readonly (readonly [string, Json])[]> {
  const store = run.query.store<string, Json>(CONTROL_STORE);
  const rows: (readonly [string, Json])[] = [];
  for (;;) {
    const last = rows.at(-1)?.[0];
    const after = last === undefined ? {} : { after: last };
    const limits = { limit: ROWS_AT_ONCE, read: 'committed', partition, ...after } as const;
    const found = await store.range(from, to, limits);
    rows.push(...found);
    if (found.length < ROWS_AT_ONCE) return rows;
  }
}
