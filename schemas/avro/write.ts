import { literal, type Scope } from './code.ts';
import { defaultValue } from './defaults.ts';
import { type AvroType, leastBytes, MAX_EMPTY_ITEMS, MAX_VALUE_DEPTH, mostBytes, type RecordType } from './model.ts';

/**
 * Generates code that writes values. Conventions of the code: `w` is the ByteWriter, `b` its bytes and `p` the
 * position, both kept in variables and given back to `w` around calls. `spare` is what the statements before have
 * made sure is free at `p` beyond their own need, so that numbers need no check of their own.
 * Composite types have functions `w(v, w, d)`; `d` counts recursive records.
 */
export class Writing {
  readonly #scope: Scope;
  readonly #writers = new Map<AvroType, string>();
  readonly #fits = new Map<AvroType, string>();
  readonly #functions: string[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Functions, to stand before the code that uses them. */
  prelude(): string {
    return this.#functions.join('\n');
  }

  /** Statements that write the variable `x`, for which room was made up to `mostBytes`, leaving `spare` free. */
  write(type: AvroType, x: string, where: string, spare: number): string {
    const at = literal(where);
    switch (type.kind) {
      case 'null':
        return `if (${x} !== null && ${x} !== undefined) badValue(${at}, 'null', ${x});`;
      case 'boolean':
        return `if (typeof ${x} !== 'boolean') badValue(${at}, 'a boolean', ${x}); b[p++] = ${x} ? 1 : 0;`;
      case 'int':
        return `if (typeof ${x} !== 'number' || (${x} | 0) !== ${x}) badValue(${at}, 'a whole number of 32 bits', ${x}); ${varint(x)}`;
      case 'long':
        return `if (!isSafe(${x})) badValue(${at}, 'a whole number within ±2^53', ${x}); ${varint(x)}`;
      case 'float':
        return `if (typeof ${x} !== 'number') badValue(${at}, 'a number', ${x}); writeFloat(b, p, ${x}); p += 4;`;
      case 'double':
        return `if (typeof ${x} !== 'number') badValue(${at}, 'a number', ${x}); writeDouble(b, p, ${x}); p += 8;`;
      case 'string':
        return `if (typeof ${x} !== 'string') badValue(${at}, 'a string', ${x}); ${text(x, spare)}`;
      case 'bytes':
        return `if (!isBytes(${x})) badValue(${at}, 'bytes', ${x}); ${room(`${x}.length + 10`, spare)}
          ${varint(`${x}.length`)} b.set(${x}, p); p += ${x}.length;`;
      case 'fixed':
        return `if (!isBytes(${x}) || ${x}.length !== ${type.size}) badValue(${at}, '${type.size} bytes', ${x});
          ${mostBytes(type) === undefined ? room(String(type.size), spare) : ''} b.set(${x}, p); p += ${type.size};`;
      case 'enum': {
        const numbers = this.#scope.constant(new Map(type.symbols.map((symbol, i) => [symbol, i])));
        const number = this.#scope.fresh('e');
        return `const ${number} = ${numbers}.get(${x}); if (${number} === undefined) badValue(${at}, 'a symbol of ${type.name}', ${x}); ${varint(number)}`;
      }
      case 'union':
        return this.#union(type.branches, x, where, spare);
      default:
        return `w.at = p; ${this.#writer(type, where)}(${x}, w, d); b = w.bytes; p = w.at; ${room('0', spare)}`;
    }
  }

  /** The first branch that the value fits; several records or maps are told apart by their fields. */
  #union(branches: readonly AvroType[], x: string, where: string, spare: number): string {
    const dicts = branches.filter((branch) => branch.kind === 'record' || branch.kind === 'map').length;
    const bounded = mostBytes({ kind: 'union', branches }) !== undefined;
    const arms = branches.map((branch, i) => {
      const test =
        dicts > 1 || (branch.kind !== 'record' && branch.kind !== 'map') ? this.#fit(branch, x) : `isDict(${x})`;
      const own = (bounded ? 0 : (mostBytes(branch) ?? 0)) + spare;
      return `if (${test}) { ${bounded ? '' : room('1', own)} b[p++] = ${i * 2}; ${this.write(branch, x, where, own)} }`;
    });
    const names = branches.map((branch) => ('name' in branch ? branch.name : branch.kind)).join(', ');
    return `${arms.join(' else ')} else badValue(${literal(where)}, ${literal(`one of ${names}`)}, ${x});`;
  }

  /** An expression: whether the value fits the type, deeply. */
  #fit(type: AvroType, x: string): string {
    switch (type.kind) {
      case 'null':
        return `(${x} === null || ${x} === undefined)`;
      case 'boolean':
        return `typeof ${x} === 'boolean'`;
      case 'int':
        return `(typeof ${x} === 'number' && (${x} | 0) === ${x})`;
      case 'long':
        return `isSafe(${x})`;
      case 'float':
        return `(typeof ${x} === 'number' && (fround(${x}) === ${x} || ${x} !== ${x}))`;
      case 'double':
        return `typeof ${x} === 'number'`;
      case 'string':
        return `typeof ${x} === 'string'`;
      case 'bytes':
        return `isBytes(${x})`;
      case 'fixed':
        return `(isBytes(${x}) && ${x}.length === ${type.size})`;
      case 'enum':
        return `${this.#scope.constant(new Set(type.symbols))}.has(${x})`;
      case 'union':
        return `(${type.branches.map((branch) => this.#fit(branch, x)).join(' || ')})`;
      case 'array':
        return `isArray(${x})`;
      default:
        return `${this.#once(this.#fits, type, 't', (name) => this.#fitFunction(type, name))}(${x}, 0)`;
    }
  }

  #fitFunction(type: AvroType, name: string): string {
    const head = `function ${name}(v, d) { if (!isDict(v) || d > ${MAX_VALUE_DEPTH}) return false;`;
    if (type.kind === 'map')
      return `${head} for (const k of keysOf(v)) { const y = v[k]; if (!${this.#fit(type.values, 'y')}) return false; } return true; }`;
    if (type.kind !== 'record') return '';
    const known = this.#scope.constant(new Set(type.fields.map((field) => field.name)));
    const tests = type.fields.map((field) => {
      const missing = field.default === undefined ? 'return false;' : '';
      return `{ const y = v[${literal(field.name)}]; if (y === undefined) { ${missing} } else if (!${this.#fit(field.type, 'y')}) return false; }`;
    });
    return `${head} for (const k of keysOf(v)) if (!${known}.has(k)) return false; ${tests.join('\n')} return true; }`;
  }

  #writer(type: AvroType, where: string): string {
    return this.#once(this.#writers, type, 'w', (name) => {
      const at = literal(where);
      const head = `function ${name}(v, w, d) { let b = w.bytes, p = w.at;`;
      if (type.kind === 'record') return `${head} ${this.fields(type)} w.at = p; }`;
      if (type.kind === 'array') {
        return `${head} if (!isArray(v)) badValue(${at}, 'an array', v); const n = v.length; ${this.#count(type.items, 'n', at)}
          for (let i = 0; i < n; i++) { const y = v[i]; ${this.#item(type.items, `${where}[]`, 0)} }
          if (n > 0) { ${room('1', 0)} b[p++] = 0; } w.at = p; }`;
      }
      if (type.kind !== 'map') return '';
      return `${head} if (!isDict(v)) badValue(${at}, 'an object', v); const keys = keysOf(v), n = keys.length; ${this.#count(type.values, 'n', at)}
        for (let i = 0; i < n; i++) { const k = keys[i], y = v[k];
          if (k === '__proto__') bad(${at}, 'a key other than __proto__', 'it');
          ${text('k', 0)} ${this.#item(type.values, `${where}{}`, 0)} }
        if (n > 0) { ${room('1', 0)} b[p++] = 0; } w.at = p; }`;
    });
  }

  #count(items: AvroType, n: string, at: string): string {
    const limit =
      leastBytes(items) > 0
        ? ''
        : `if (${n} > ${MAX_EMPTY_ITEMS}) bad(${at}, 'at most ${MAX_EMPTY_ITEMS} values without bytes', String(${n}));`;
    return `${limit} ${room('10', 0)} ${varint(n)}`;
  }

  #item(type: AvroType, where: string, spare: number): string {
    const most = mostBytes(type);
    return `${most === undefined ? '' : room(String(most), spare)} ${this.write(type, 'y', where, spare)}`;
  }

  /** Statements that write the fields of the record `v`; shared with the row of cells, whose fields are known. */
  fields(type: RecordType): string {
    const most = type.fields.map((field) => mostBytes(field.type));
    let spare = most.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
    const lines = [
      `if (!isDict(v)) badValue(${literal(type.name)}, 'an object', v);`,
      type.recursive
        ? `if (++d > ${MAX_VALUE_DEPTH}) bad(${literal(type.name)}, 'at most ${MAX_VALUE_DEPTH} records within each other', 'more');`
        : '',
      room('0', spare),
    ];
    type.fields.forEach((field, i) => {
      const where = `${type.name}.${field.name}`;
      spare -= most[i] ?? 0;
      const missing =
        field.default === undefined
          ? ''
          : `if (y === undefined) y = ${this.#scope.constant(defaultValue(field.type, field.default, where))};`;
      lines.push(`{ let y = v[${literal(field.name)}]; ${missing} ${this.write(field.type, 'y', where, spare)} }`);
    });
    return lines.join('\n');
  }

  #once(known: Map<AvroType, string>, type: AvroType, prefix: string, make: (name: string) => string): string {
    const have = known.get(type);
    if (have !== undefined) return have;
    const name = this.#scope.fresh(prefix);
    known.set(type, name);
    this.#functions.push(make(name));
    return name;
  }
}

/** Makes room for `count` bytes and the spare ones. */
function room(count: string, spare: number): string {
  const need = spare === 0 ? count : `${count} + ${spare}`;
  if (need === '0') return '';
  return `if (b.length - p < ${need}) { w.at = p; w.reserve(${need}); b = w.bytes; }`;
}

function varint(x: string): string {
  return `if (${x} >= -64 && ${x} < 64) b[p++] = (${x} << 1) ^ (${x} >> 31);
    else if (${x} >= -8192 && ${x} < 8192) { const z = (${x} << 1) ^ (${x} >> 31); b[p++] = z | 128; b[p++] = z >>> 7; }
    else p = writeVarint(b, p, ${x});`;
}

/** Text behind its length in bytes: guessed to be ASCII, written again where it is not. */
function text(x: string, spare: number): string {
  return `${room(`${x}.length * 3 + 10`, spare)} p = writeString(b, p, ${x});`;
}
