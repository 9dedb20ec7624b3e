import { string } from '../../schemas/schemas.ts';
import type { OpTable } from './op.ts';
import { table } from './ops-basic.ts';
import { lineageOf } from './table-lineage.ts';
import { joined, textFunctionOf } from './text-functions.ts';

/** Joins of tables by foreign key. */
export const OPS_FOREIGN: OpTable = {
  joinFK(statement, build) {
    const from = build.get('table', statement.from);
    const other = build.get('table', statement.with);
    for (const side of [from, other]) lineageOf(side).send(true);
    const foreignKey = textFunctionOf(statement.fkFn);
    const store = statement.store === undefined ? {} : { store: statement.store };
    const options = { ...store, name: build.name(statement), foreignKey, merge: joined, value: string() };
    const join = statement.type === 'left' ? 'leftJoinForeign' : 'joinForeign';
    return table(from.handle[join](other.handle, options), from.keys);
  },
};
