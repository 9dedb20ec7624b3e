import { string } from '../../schemas/schemas.ts';
import type { OpTable } from './op.ts';
import { table } from './ops-basic.ts';
import { follow, lineageOf, unnamedLineage, wasAsked } from './table-lineage.ts';
import { joined, textFunctionOf } from './text-functions.ts';

/**
 * Joins of tables by foreign key. Without a named store the rows are there as those of a topic are that is read as a table:
 * when a statement needs them.
 */
export const OPS_FOREIGN: OpTable = {
  joinFK(statement, build) {
    const from = build.get('table', statement.from);
    const other = build.get('table', statement.with);
    for (const side of [from, other].map(lineageOf)) {
      side.send(true);
      side.look();
    }
    const name = build.name(statement);
    const foreignKey = textFunctionOf(statement.fkFn);
    const store = statement.store ?? (wasAsked(statement) ? `${name}-rows` : undefined);
    const kept = store === undefined ? {} : { store };
    const options = { ...kept, name, foreignKey, merge: joined, value: string() };
    const join = statement.type === 'left' ? 'leftJoinForeign' : 'joinForeign';
    const made = table(from.handle[join](other.handle, options), from.keys);
    return statement.store === undefined ? follow(made, unnamedLineage(statement)) : made;
  },
};
