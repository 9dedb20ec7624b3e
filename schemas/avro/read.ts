import { literal, type Scope } from './code.ts';
import { type AvroType, leastBytes, MAX_EMPTY_ITEMS, MAX_VALUE_DEPTH, type RecordType } from './model.ts';

/**
 * Generates code that reads and skips values. Conventions of the code: `b` holds the bytes, `end` is where the
 * value must end, `p` is the position and `x` a number to work with. Composite types have functions: `r(p, d)` answers the value and
 * leaves the position behind it in `q`; `s(p, d)` answers the position; `d` counts recursive records.
 * Positions may run past `end` within a value, never without bound; whoever finishes a value compares once.
 */
export class Reading {
  readonly #scope: Scope;
  readonly #readers = new Map<AvroType, string>();
  readonly #skippers = new Map<AvroType, string>();
  readonly #functions: string[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Variables and functions, to stand before the code that uses them. */
  prelude(): string {
    return `let b, end = 0, q = 0;\n${VARINTS}\n${this.#functions.join('\n')}`;
  }

  /** Statements that read the value at `p` into the variable `into`. */
  read(type: AvroType, into: string, where: string): string {
    const at = literal(where);
    switch (type.kind) {
      case 'null':
        return `${into} = null;`;
      case 'boolean':
        return `x = b[p++]; if (x > 1) bad(${at}, 'a boolean', 'the byte ' + x); ${into} = x === 1;`;
      case 'int':
        return number(into, `int(p - 2, ${at})`);
      case 'long':
        return number(into, `long(p - 2, ${at})`);
      case 'float':
        return fixedWidth(4, at, `${into} = readFloat(b, p);`);
      case 'double':
        return fixedWidth(8, at, `${into} = readDouble(b, p);`);
      case 'fixed':
        return fixedWidth(type.size, at, `${into} = copyBytes(b, p, p + ${type.size});`);
      case 'string':
        return `${length(at)} ${into} = readText(b, p, p += x);`;
      case 'bytes':
        return `${length(at)} ${into} = copyBytes(b, p, p += x);`;
      case 'enum': {
        const symbols = this.#scope.constant(type.symbols);
        return `x = long(p, ${at}); p = q; ${into} = ${symbols}[x]; if (${into} === undefined) bad(${at}, 'a symbol of ${type.name}', 'number ' + x);`;
      }
      case 'union':
        return this.cases(type.branches, at, (branch) => this.read(branch, into, where));
      default:
        return `${into} = ${this.#reader(type, where)}(p, d); p = q;`;
    }
  }

  /** Statements that move `p` behind the value. */
  skip(type: AvroType, where: string): string {
    const at = literal(where);
    switch (type.kind) {
      case 'null':
        return '';
      case 'boolean':
        return 'p++;';
      case 'int':
      case 'long':
      case 'enum':
        return 'while (b[p++] > 127);';
      case 'float':
        return 'p += 4;';
      case 'double':
        return 'p += 8;';
      case 'fixed':
        return `p += ${type.size};`;
      case 'string':
      case 'bytes':
        return `${length(at)} p += x;`;
      case 'union':
        return this.cases(type.branches, at, (branch) => this.skip(branch, where));
      default:
        return `p = ${this.#skipper(type, where)}(p, d);`;
    }
  }

  /** A switch over the branch of a union that was written. */
  cases(branches: readonly AvroType[], at: string, each: (branch: AvroType) => string): string {
    const cases = branches.map((branch, i) => `case ${i * 2}: ${each(branch)} break;`);
    return `switch (x = b[p++]) { ${cases.join('\n')}\ndefault: bad(${at}, 'one of ${branches.length} types', 'number ' + x / 2); }`;
  }

  #reader(type: AvroType, where: string): string {
    return this.#once(this.#readers, type, 'r', (name) => {
      if (type.kind === 'record') return this.#recordReader(type, name);
      const body =
        type.kind === 'array'
          ? this.blocks(type.items, where, `let y; ${this.read(type.items, 'y', `${where}[]`)} v.push(y);`, false)
          : type.kind === 'map'
            ? this.blocks(type.values, where, `${this.#mapEntry(type.values, where)}`, false)
            : '';
      return `function ${name}(p, d) { let x, n, seen = 0; const v = ${type.kind === 'array' ? '[]' : '{}'}; ${body} q = p; return v; }`;
    });
  }

  #mapEntry(values: AvroType, where: string): string {
    const at = literal(where);
    return `let y, k; ${length(at)} k = readText(b, p, p += x);
      if (k === '__proto__') bad(${at}, 'a key other than __proto__', 'it');
      ${this.read(values, 'y', `${where}{}`)} v[k] = y;`;
  }

  #recordReader(type: RecordType, name: string): string {
    const reads = type.fields.map(
      (field, i) => `let y${i}; ${this.read(field.type, `y${i}`, `${type.name}.${field.name}`)}`,
    );
    const fields = type.fields.map((field, i) => `${literal(field.name)}: y${i}`);
    return `function ${name}(p, d) { let x; ${deeper(type)} ${reads.join('\n')}\nq = p; return { ${fields.join(', ')} }; }`;
  }

  #skipper(type: AvroType, where: string): string {
    return this.#once(this.#skippers, type, 's', (name) => {
      if (type.kind === 'record') {
        const skips = type.fields.map((field) => this.skip(field.type, `${type.name}.${field.name}`));
        return `function ${name}(p, d) { let x; ${deeper(type)} ${skips.join('\n')}\nreturn p; }`;
      }
      const inner = type.kind === 'array' ? type.items : type.kind === 'map' ? type.values : type;
      const key = type.kind === 'map' ? `${length(literal(where))} p += x;` : '';
      const body = this.blocks(inner, where, `${key} ${this.skip(inner, where)}`, true);
      return `function ${name}(p, d) { let x, n, seen = 0; ${body} return p; }`;
    });
  }

  /**
   * A loop over the blocks of an array or map. A negative count is followed by the size of the block in bytes.
   * No count may exceed what the bytes that are left can hold.
   */
  blocks(inner: AvroType, where: string, item: string, skipping: boolean): string {
    const at = literal(where);
    const least = leastBytes(inner);
    const limit = least > 0 ? `(end - p) / ${least}` : `${MAX_EMPTY_ITEMS} - seen`;
    const sized = skipping
      ? 'if (x < 0 || x > end - p) bad(' + at + ", 'the size of a block', 'the number ' + x); p += x; continue;"
      : '';
    return `for (;;) {
      n = long(p, ${at}); p = q;
      if (n === 0) break;
      if (n < 0) { n = -n; x = long(p, ${at}); p = q; ${sized} }
      if (n > ${limit}) bad(${at}, 'items', 'a count of ' + n + ', more than the bytes can hold');
      seen += n;
      for (let i = 0; i < n; i++) { ${item} }
    }`;
  }

  #once(known: Map<AvroType, string>, type: AvroType, prefix: string, make: (name: string) => string): string {
    return known.get(type) ?? this.define(prefix, make, (name) => known.set(type, name));
  }

  /** Adds a function; `named` is told its name before it is made, since it may call itself. */
  define(prefix: string, make: (name: string) => string, named: (name: string) => void): string {
    const name = this.#scope.fresh(prefix);
    named(name);
    this.#functions.push(make(name));
    return name;
  }
}

/** Counts records within each other. */
export function deeper(type: RecordType): string {
  if (!type.recursive) return '';
  return `if (++d > ${MAX_VALUE_DEPTH}) bad(${literal(type.name)}, 'at most ${MAX_VALUE_DEPTH} records within each other', 'more');`;
}

/** Numbers of one or two bytes in place, longer ones by a function. */
function number(into: string, otherwise: string): string {
  return `if ((x = b[p++]) < 128) ${into} = (x >>> 1) ^ -(x & 1);
    else { const z = b[p++]; if (z < 128) { x = (x & 127) | (z << 7); ${into} = (x >>> 1) ^ -(x & 1); } else { ${into} = ${otherwise}; p = q; } }`;
}

/** The length of a string or bytes, into `x`. */
export function length(at: string): string {
  return `if ((x = b[p++]) < 128 && (x & 1) === 0) x >>>= 1; else { x = long(p - 1, ${at}); p = q; }
    if (x < 0 || x > end - p) bad(${at}, 'a length within the ' + (end - p) + ' bytes left', 'the number ' + x);`;
}

function fixedWidth(size: number, at: string, read: string): string {
  return `if (p + ${size} > end) bad(${at}, '${size} bytes', (end - p) + ' bytes'); ${read} p += ${size};`;
}

/**
 * Zigzag varints as numbers: up to four bytes as integers, longer ones as 28 bits low, 28 bits high; what needs more
 * lies beyond 2^53.
 */
const VARINTS = `
function long(p, at) {
  let c = b[p++], low = c & 127;
  if (c > 127) { c = b[p++]; low |= (c & 127) << 7;
  if (c > 127) { c = b[p++]; low |= (c & 127) << 14;
  if (c > 127) { c = b[p++]; low |= (c & 127) << 21;
  if (c > 127) return wide(p, low, at); } } }
  if (p > end) bad(at, 'a number', 'the end of the bytes');
  q = p;
  return (low >>> 1) ^ -(low & 1);
}
function wide(p, low, at) {
  let c = b[p++], high = c & 127;
  if (c > 127) { c = b[p++]; high |= (c & 127) << 7;
  if (c > 127) { c = b[p++]; high |= (c & 127) << 14;
  if (c > 127) { c = b[p++]; high |= (c & 127) << 21;
  if (c > 127) bad(at, 'a whole number within ±2^53', 'a larger one'); } } }
  if (p > end) bad(at, 'a number', 'the end of the bytes');
  q = p;
  const n = (low >>> 1) + high * 134217728;
  const v = (low & 1) === 0 ? n : -n - 1;
  if (!isSafe(v)) bad(at, 'a whole number within ±2^53', 'a larger one');
  return v;
}
function int(p, at) {
  const v = long(p, at);
  if ((v | 0) !== v) bad(at, 'a whole number of 32 bits', 'a larger one');
  return v;
}`;
