import type { ProcessContext, Processor } from '../../operators/operators.ts';
import type { Serde } from '../../schemas/schemas.ts';
import {
  type AnyStore,
  keyValueStore,
  type StoreDefinition,
  sessionStore,
  versionedStore,
  windowStore,
} from '../../topology/topology.ts';
import type { Build, Made, OpTable, Statement, Text, TextStream, TextTable } from './op.ts';
import { stream, table } from './ops-basic.ts';
import { joined } from './text-functions.ts';

/** Tables with history, joins as of a record's time, with grace or without, and the stores of user operators. */
export const OPS_VERSIONED: OpTable = {
  table(statement, build) {
    const { versionedMs: history } = statement;
    if (history === undefined) return undefined;
    const store = statement.store ?? `${build.name(statement)}-store`;
    return table(build.topology.table(build.topic(statement.topic!), { store, history }), build.plain);
  },
  joinST(statement, build) {
    const { grace } = statement;
    if (grace === undefined) return undefined;
    const from = build.get('stream', statement.from);
    const { handle } = build.get('table', statement.with);
    const left = build.settle(from, statement.name) as unknown as Joining;
    const options = { name: build.name(statement), merge: joined, grace, value: build.text };
    const made = statement.type === 'left' ? left.leftJoinTable(handle, options) : left.joinTable(handle, options);
    return stream(made, from.keys, false);
  },
  storeOps(statement, build) {
    return OPERATED[statement.kind ?? '']?.(statement, build);
  },
};

/** A join with grace, of a table that may lack a history: that is refused when the plan is built. */
interface Joining {
  joinTable(table: TextTable, options: object): TextStream;
  leftJoinTable(table: TextTable, options: object): TextStream;
}

const OPERATED: { readonly [kind: string]: (statement: Statement, build: Build) => Made } = {
  kv: (statement, build) =>
    operated(statement, build, keyValueStore(nameOf(statement, build), formats(build)), (context, name) => {
      const store = context.store<string, string>(name);
      return ([op, key = '', value = '']) => {
        switch (op) {
          case 'put':
            if (value === DELETED) store.delete(key);
            else store.put(key, value);
            return 'ok';
          case 'get':
            return store.get(key) ?? 'null';
          case 'putIfAbsent':
            return store.putIfAbsent(key, value) ?? 'null';
          case 'delete':
            return store.delete(key) ?? 'null';
          case 'range':
            return [...store.range(key, value)].map(([each, row]) => `${each}=${row}`).join(' ');
          case 'all':
            return [...store.all()].map(([each, row]) => `${each}=${row}`).join(' ');
          default:
            throw new Error(`unknown operation ${op}`);
        }
      };
    }),
  window: (statement, build) =>
    operated(
      statement,
      build,
      windowStore(nameOf(statement, build), { ...formats(build), retention: statement.retention! }),
      (context, name) => {
        const store = context.windowStore<string, string>(name);
        return ([op, key = '', ...rest]) => {
          switch (op) {
            case 'put': {
              const [value = '', start] = rest;
              if (value === DELETED) store.delete(key, Number(start));
              else store.put(key, Number(start), value);
              return 'ok';
            }
            case 'get':
              return store.get(key, Number(rest[0])) ?? 'null';
            case 'fetch':
              return [...store.fetch(key, Number(rest[0]), Number(rest[1]))].map((row) => row.join(':')).join(' ');
            default:
              throw new Error(`unknown operation ${op}`);
          }
        };
      },
    ),
  session: (statement, build) =>
    operated(
      statement,
      build,
      sessionStore(nameOf(statement, build), { ...formats(build), retention: statement.retention! }),
      (context, name) => {
        const store = context.sessionStore<string, string>(name);
        return ([op, key = '', ...rest]) => {
          switch (op) {
            case 'put': {
              const [value = '', start, end] = rest;
              if (value === DELETED) store.delete(key, Number(start), Number(end));
              else store.put(key, Number(start), Number(end), value);
              return 'ok';
            }
            case 'get':
              return store.get(key, Number(rest[0]), Number(rest[1])) ?? 'null';
            case 'find':
              return [...store.find(key, Number(rest[0]), Number(rest[1]))]
                .map(({ start, end, value }) => `${start}/${end}:${value}`)
                .join(' ');
            default:
              throw new Error(`unknown operation ${op}`);
          }
        };
      },
    ),
  versioned: (statement, build) =>
    operated(
      statement,
      build,
      versionedStore(nameOf(statement, build), { ...formats(build), history: statement.historyMs! }),
      (context, name) => {
        const store = context.versionedStore<string, string>(name);
        const print = (version: ReturnType<typeof store.get>) =>
          version === undefined ? 'null' : `${version.value}@${version.validFrom}`;
        return ([op, key = '', ...rest]) => {
          switch (op) {
            case 'put': {
              const [value = '', time] = rest;
              const answer = store.put(key, value === DELETED ? null : value, Number(time));
              return answer === 'latest' ? '-1' : answer === 'rejected' ? NOT_PUT : String(answer);
            }
            case 'get':
              return print(store.get(key));
            case 'getAsOf':
              return print(store.getAsOf(key, Number(rest[0])));
            case 'delete':
              return print(store.delete(key, Number(rest[0])));
            default:
              throw new Error(`unknown operation ${op}`);
          }
        };
      },
    ),
};

const DELETED = '~';
/** As Java prints the smallest long. */
const NOT_PUT = '-9223372036854775808';

function nameOf(statement: Statement, build: Build): string {
  return `${build.name(statement)}-store`;
}

function formats(build: Build): { readonly key: Serde<string>; readonly value: Serde<string> } {
  return { key: build.text as Serde<string>, value: build.text as Serde<string> };
}

type Open = (context: ProcessContext<string, Text>, store: string) => (words: readonly string[]) => string;

/** A user operator that does what each value says, and forwards the answer. */
function operated(statement: Statement, build: Build, store: StoreDefinition<string, string>, open: Open): Made {
  const from = build.get('stream', statement.from);
  const handle = build.settle(from).processValues<Text>({
    name: build.name(statement),
    stores: [store as AnyStore],
    supplier: () => new StoreWork(store.name, open),
    value: build.text,
  });
  return stream(handle, from.keys, false);
}

class StoreWork implements Processor<string, Text, string, Text> {
  readonly #store: string;
  readonly #open: Open;

  constructor(store: string, open: Open) {
    this.#store = store;
    this.#open = open;
  }

  process(value: Text, key: string, context: ProcessContext<string, Text>): void {
    context.forward(key, this.#open(context, this.#store)(value?.split('|') ?? []));
  }
}
