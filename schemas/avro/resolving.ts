import type { View } from '../schemas.ts';
import { compile, literal, Scope } from './code.ts';
import { defaultValue } from './defaults.ts';
import type { AvroType, EnumType, RecordType } from './model.ts';
import { deeper, length, Reading } from './read.ts';
import { branchFor, nameOf, promotes, sourcesOf } from './resolution.ts';

/**
 * Reads bodies that were written under one schema as plain values of another, by Avro's rules of resolution. A value
 * that those rules cannot read, such as a branch that the reader's union lacks, fails when it is met.
 */
export function resolvingReader(writer: AvroType, reader: AvroType, name: string): View<unknown> {
  const scope = new Scope();
  const resolving = new Resolving(scope);
  const where = reader.kind === 'record' ? reader.name : name;
  const read = resolving.read(writer, reader, 'y', where);
  return compile<View<unknown>>(
    `${resolving.prelude()}
    return (bytes, start, stop) => {
      b = bytes; end = stop;
      let p = start, x = 0, y; const d = 0;
      ${read}
      if (p !== end) bad(${literal(where)}, 'a value that ends with its bytes', (end - p) + ' bytes left');
      return y;
    };`,
    scope.constants,
  );
}

/** Generates code by the conventions of {@link Reading}, which reads and skips what needs no resolution. */
class Resolving {
  readonly #scope: Scope;
  readonly #reading: Reading;
  readonly #records = new Map<RecordType, Map<RecordType, string>>();

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#reading = new Reading(scope);
  }

  prelude(): string {
    return this.#reading.prelude();
  }

  /** Statements that read the value at `p` into the variable `into`. */
  read(writer: AvroType, reader: AvroType, into: string, where: string): string {
    const at = literal(where);
    if (writer.kind === 'union') {
      return this.#reading.cases(writer.branches, at, (branch) => this.read(branch, reader, into, where));
    }
    if (reader.kind === 'union') {
      const branch = branchFor(writer, reader.branches);
      return branch === undefined ? refused(writer, reader, at) : this.read(writer, branch, into, where);
    }
    if (promotes(writer, reader)) return this.#promoted(writer, reader, into, where);
    if (writer.kind !== reader.kind) return refused(writer, reader, at);
    switch (writer.kind) {
      case 'array':
        return this.#items(writer.items, (reader as typeof writer).items, into, where);
      case 'map':
        return this.#entries(writer.values, (reader as typeof writer).values, into, where);
      case 'record':
        return `${into} = ${this.#record(writer, reader as RecordType)}(p, d); p = q;`;
      case 'enum':
        return this.#symbol(writer, reader as EnumType, into, at);
      case 'fixed':
        if (writer.size !== (reader as typeof writer).size) return refused(writer, reader, at);
        return this.#reading.read(writer, into, where);
      default:
        return this.#reading.read(writer, into, where);
    }
  }

  /** Strings and bytes, ints and longs lie alike; numbers of other widths are read as they were written. */
  #promoted(writer: AvroType, reader: AvroType, into: string, where: string): string {
    if (reader.kind === 'long' || reader.kind === 'string' || reader.kind === 'bytes') {
      return this.#reading.read(reader, into, where);
    }
    const narrowed = reader.kind === 'float' ? `${into} = fround(${into});` : '';
    return `${this.#reading.read(writer, into, where)} ${narrowed}`;
  }

  #symbol(writer: EnumType, reader: EnumType, into: string, at: string): string {
    const known = writer.symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default));
    const symbols = this.#scope.constant(known);
    return `x = long(p, ${at}); p = q; ${into} = ${symbols}[x]; if (${into} === undefined) bad(${at}, 'a symbol of ${reader.name}', 'number ' + x + ' of ${writer.name}');`;
  }

  #items(writer: AvroType, reader: AvroType, into: string, where: string): string {
    const item = `let y; ${this.read(writer, reader, 'y', `${where}[]`)} v.push(y);`;
    return this.#loop('[]', writer, item, into, where);
  }

  #entries(writer: AvroType, reader: AvroType, into: string, where: string): string {
    const at = literal(where);
    const entry = `let y, k; ${length(at)} k = readText(b, p, p += x);
      if (k === '__proto__') bad(${at}, 'a key other than __proto__', 'it');
      ${this.read(writer, reader, 'y', `${where}{}`)} v[k] = y;`;
    return this.#loop('{}', writer, entry, into, where);
  }

  #loop(empty: string, inner: AvroType, item: string, into: string, where: string): string {
    const blocks = this.#reading.blocks(inner, where, item, false);
    const name = this.#reading.define(
      'f',
      (own) => `function ${own}(p, d) { let x, n, seen = 0; const v = ${empty}; ${blocks} q = p; return v; }`,
      () => undefined,
    );
    return `${into} = ${name}(p, d); p = q;`;
  }

  #record(writer: RecordType, reader: RecordType): string {
    const known = this.#records.get(writer) ?? new Map<RecordType, string>();
    this.#records.set(writer, known);
    const make = (name: string) => this.#recordReader(writer, reader, name);
    return known.get(reader) ?? this.#reading.define('f', make, (name) => known.set(reader, name));
  }

  #recordReader(writer: RecordType, reader: RecordType, name: string): string {
    const sources = sourcesOf(writer, reader);
    const targets = new Map([...sources].map(([field, source]) => [source, field]));
    const places = new Map(reader.fields.map((field, i) => [field, `y${i}`]));
    const reads = writer.fields.map((source) => {
      const field = targets.get(source);
      if (field === undefined) return `{ ${this.#reading.skip(source.type, `${writer.name}.${source.name}`)} }`;
      return `{ ${this.read(source.type, field.type, places.get(field)!, `${reader.name}.${field.name}`)} }`;
    });
    const missing = reader.fields
      .filter((field) => !sources.has(field))
      .map((field) => {
        const where = `${reader.name}.${field.name}`;
        if (field.default === undefined)
          return `bad(${literal(where)}, 'a field that was written', 'none, and no default');`;
        const value = this.#scope.constant(defaultValue(field.type, field.default, where));
        return `${places.get(field)} = toPlain(${value});`;
      });
    const fields = reader.fields.map((field) => `${literal(field.name)}: ${places.get(field)}`);
    const variables = reader.fields.length === 0 ? '' : `let ${[...places.values()].join(', ')};`;
    return `function ${name}(p, d) { let x; ${deeper(writer)} ${variables} ${reads.join('\n')} ${missing.join('\n')}
      q = p; return { ${fields.join(', ')} }; }`;
  }
}

function refused(writer: AvroType, reader: AvroType, at: string): string {
  return `bad(${at}, ${literal(nameOf(reader))}, ${literal(`${nameOf(writer)}, by the schema it was written with`)});`;
}
