import type { OperatorContext, Push } from './operators.ts';
import { createRowReader, type RowReader } from './row-reader.ts';
import { createRowWriter } from './store-rows.ts';

interface TableNode {
  readonly id: string;
  readonly key: string | null;
  readonly store: string | null;
}

/** Where the records of a table go that is made of others: into its own store, where it keeps its rows, then on. */
export function createTableOutput(node: TableNode, context: OperatorContext, next: Push): Push {
  if (node.store === null) return next;
  const write = createRowWriter(context, node.store);
  return (record) => {
    // What a store of plain rows takes last is its newest row.
    record.latest = true;
    write(record);
    next(record);
  };
}

/** Reads the value that a record replaces in the table's own store, where it is asked for and there is a store. */
export function createStoredOlds(node: TableNode, context: OperatorContext, asked: boolean): RowReader | undefined {
  if (!asked || node.store === null) return undefined;
  return createRowReader(context, node.store, node.key, `${node.id} old`);
}
