import type { Made, Statement } from './op.ts';

/**
 * What Kafka Streams knows of a table while a topology is written. A topic that is read as a table without a named
 * store gets its store only when a statement needs one; a filter that is written before that sees no old values, and so
 * passes on deletions of rows that it never took, unless a later statement asks it for them. Here every table has a store,
 * and a filter says which deletions it passes on: what it must say is found by following the statements in their order,
 * once before the topology is made.
 */
export interface Lineage {
  /** Asks for old values; a table without a store gets one only by force. Answers whether they come. */
  send(force: boolean): boolean;
  /** Rows are looked up. */
  look(): void;
}

const LINEAGES = new WeakMap<object, Lineage>();
const KEPT: Lineage = { send: () => true, look: () => {} };

export function lineageOf(made: Made | undefined): Lineage {
  return (made?.kind === 'table' ? LINEAGES.get(made.handle) : undefined) ?? KEPT;
}

/** Notes the lineage of what was made; answers it. */
export function follow<M extends Made>(made: M, lineage: Lineage): M {
  if (made.kind === 'table') LINEAGES.set(made.handle, lineage);
  return made;
}

/** What statements came to, when all had been followed. */
const ASKED = new WeakMap<Statement, { readonly asked: boolean }>();

/** Whether the filter of a statement sees old values, or the rows of its table were needed. */
export function wasAsked(statement: Statement): boolean {
  return ASKED.get(statement)?.asked === true;
}

/** A topic read as a table, or a join by foreign key, without a named store: it gets one when it is asked by force. */
export function unnamedLineage(statement: Statement): Lineage {
  const lineage = {
    asked: false,
    send(force: boolean) {
      lineage.asked ||= force;
      return lineage.asked;
    },
    look() {
      lineage.asked = true;
    },
  };
  ASKED.set(statement, lineage);
  return lineage;
}

/** A filter asks for old values that are there by itself; it sees them if it is asked for them too. */
export function filterLineage(statement: Statement, parent: Lineage): Lineage {
  const kept = statement.store !== undefined;
  const lineage = {
    asked: parent.send(false),
    send(force: boolean) {
      lineage.asked = lineage.asked || kept || parent.send(force);
      return lineage.asked;
    },
    look() {
      if (!kept) parent.look();
    },
  };
  ASKED.set(statement, lineage);
  return lineage;
}

/** A table made of others; with a store of its own it needs them for nothing. */
export function madeOf(parents: readonly Lineage[], store: string | undefined, always: boolean): Lineage {
  if (store !== undefined && !always) return KEPT;
  let sends = false;
  return {
    send(force) {
      sends ||= parents.map((parent) => parent.send(force || always)).every((sent) => sent);
      return sends;
    },
    look() {
      if (store === undefined) for (const parent of parents) parent.look();
    },
  };
}
