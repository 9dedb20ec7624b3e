import type { Cells } from '../schemas.ts';
import { compile, literal, Scope } from './code.ts';
import { writeHeader } from './encoder.ts';
import { type AvroType, type FieldOf, mostBytes, type RecordType } from './model.ts';
import { Reading } from './read.ts';
import { readHeader } from './view.ts';
import { Writing } from './write.ts';

/** Rows of doubles for records whose fields are all numbers or booleans; `undefined` for other types. */
export function cellsOf(type: AvroType, name: string, id: number | undefined): Cells<unknown> | undefined {
  if (type.kind !== 'record' || type.fields.length === 0 || !type.fields.every(isCell)) return undefined;
  const scope = new Scope();
  const reading = new Reading(scope);
  const writing = new Writing(scope);
  const parts = [
    `width: ${type.fields.length}`,
    row(type),
    `store(v, cells, base) { if (!isDict(v)) badValue(${literal(type.name)}, 'an object', v);
      ${type.fields.map((field, i) => `{ const x = v[${literal(field.name)}]; ${set(type, field, i)} }`).join('\n')} }`,
    encode(writing, type, id),
    decode(reading, type, name, id),
  ];
  return compile(`${reading.prelude()}\n${writing.prelude()}\nreturn { ${parts.join(',\n')} };`, scope.constants);
}

function isCell({ type }: FieldOf): boolean {
  return (
    type.kind === 'int' ||
    type.kind === 'long' ||
    type.kind === 'float' ||
    type.kind === 'double' ||
    type.kind === 'boolean'
  );
}

function row(type: RecordType): string {
  const accessors = type.fields.map((field, i) => {
    const value = field.type.kind === 'boolean' ? `cells[base + ${i}] !== 0` : `cells[base + ${i}]`;
    return `own(view, ${literal(field.name)}, { get() { return ${value}; }, set(x) { ${set(type, field, i)} } });`;
  });
  return `row() {
    let cells, base = 0;
    const view = ownShape();
    ${accessors.join('\n')}
    seal(view);
    return (next, at) => { cells = next; base = at; return view; };
  }`;
}

/** Checks the value `x` as `encode` would and sets it, so that a row never holds what cannot be encoded. */
function set(record: RecordType, { name, type }: FieldOf, i: number): string {
  const at = literal(`${record.name}.${name}`);
  const cell = `cells[base + ${i}]`;
  switch (type.kind) {
    case 'boolean':
      return `if (typeof x !== 'boolean') badValue(${at}, 'a boolean', x); ${cell} = x ? 1 : 0;`;
    case 'int':
      return `if (typeof x !== 'number' || (x | 0) !== x) badValue(${at}, 'a whole number of 32 bits', x); ${cell} = x + 0;`;
    case 'long':
      return `if (!isSafe(x)) badValue(${at}, 'a whole number within ±2^53', x); ${cell} = x + 0;`;
    default:
      return `if (typeof x !== 'number') badValue(${at}, 'a number', x); ${cell} = ${type.kind === 'float' ? 'fround(x)' : 'x'};`;
  }
}

function encode(writing: Writing, type: RecordType, id: number | undefined): string {
  const most = type.fields.reduce((sum, field) => sum + (mostBytes(field.type) ?? 0), 5);
  const writes = type.fields.map((field, i) => {
    const value = field.type.kind === 'boolean' ? `cells[base + ${i}] !== 0` : `cells[base + ${i}]`;
    return `{ const y = ${value}; ${writing.write(field.type, 'y', `${type.name}.${field.name}`, 0)} }`;
  });
  return `encode(cells, base, w) { w.reserve(${most}); let b = w.bytes, p = w.at; ${writeHeader(id)} ${writes.join('\n')} w.at = p; }`;
}

function decode(reading: Reading, type: RecordType, name: string, id: number | undefined): string {
  const reads = type.fields.map((field, i) => {
    const value = field.type.kind === 'boolean' ? 'y ? 1 : 0' : 'y';
    return `{ let y; ${reading.read(field.type, 'y', `${type.name}.${field.name}`)} cells[base + ${i}] = ${value}; }`;
  });
  return `decode(bytes, start, stop, cells, base) {
    ${readHeader(name, id)} b = bytes; end = stop;
    let p = start, x = 0;
    ${reads.join('\n')}
    if (p !== end) bad(${literal(type.name)}, 'a value that ends with its bytes', (end - p) + ' bytes left');
  }`;
}
