import type { View } from '../schemas.ts';
import { compile, literal, Scope } from './code.ts';
import { type AvroType, mostBytes, type RecordType } from './model.ts';
import { Reading } from './read.ts';

/** Makes flyweights for a record, and plain readers for everything else. Each call of the answer makes one. */
export function viewMaker(type: AvroType, name: string, id: number | undefined): () => View<unknown> {
  const scope = new Scope();
  const reading = new Reading(scope);
  const body = type.kind === 'record' ? recordView(reading, type, name, id) : valueView(reading, type, name, id);
  return compile<() => View<unknown>>(`return function view() {\n${reading.prelude()}\n${body}\n};`, scope.constants);
}

/** Reads whole values into plain ones, every byte of them. */
export function plainReader(type: AvroType, name: string, id: number | undefined): View<unknown> {
  const scope = new Scope();
  const reading = new Reading(scope);
  const body = valueView(reading, type, name, id);
  return compile<View<unknown>>(`${reading.prelude()}\n${body}`, scope.constants);
}

/** Statements that check the header and leave the position behind it in `start`. */
export function readHeader(name: string, id: number | undefined): string {
  if (id === undefined) return '';
  const bytes = [0, (id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255];
  const wrong = bytes.map((byte, i) => `bytes[start + ${i}] !== ${byte}`).join(' || ');
  return `if (stop - start < 5 || ${wrong}) badHeader(${literal(name)}, bytes, start, stop, ${id}); start += 5;`;
}

function valueView(reading: Reading, type: AvroType, name: string, id: number | undefined): string {
  const where = type.kind === 'record' ? type.name : name;
  return `return (bytes, start, stop) => {
    ${readHeader(name, id)} b = bytes; end = stop;
    let p = start, x = 0, y; const d = 0;
    ${reading.read(type, 'y', where)}
    if (p !== end) bad(${literal(where)}, 'a value that ends with its bytes', (end - p) + ' bytes left');
    return y;
  };`;
}

/**
 * One object with an accessor a field. `known` is the last field whose offset has been found in the current
 * record, `o1, o2, ...` are the offsets; `pN()` finds that of field N from the field before.
 */
function recordView(reading: Reading, type: RecordType, name: string, id: number | undefined): string {
  const { fields } = type;
  const finders = fields.map((_, i) => {
    if (i === 0) return 'function p0() { return at; }';
    const before = fields[i - 1]!;
    return `let o${i} = 0;
      function p${i}() { if (known >= ${i}) return o${i}; let p = p${i - 1}(), x = 0; const d = 0; ${reading.skip(before.type, `${type.name}.${before.name}`)} known = ${i}; return o${i} = p; }`;
  });
  const getters = fields.map((field, i) => {
    const where = `${type.name}.${field.name}`;
    // Where skipping costs as much as reading, keep the offset of the next field too.
    const keep =
      mostBytes(field.type) === undefined && i + 1 < fields.length
        ? `if (known === ${i}) { o${i + 1} = p; known = ${i + 1}; }`
        : '';
    return `own(view, ${literal(field.name)}, { get() {
      let p = p${i}(), x = 0, y; const d = 0;
      ${reading.read(field.type, 'y', where)}
      if (p > end) bad(${literal(where)}, 'a value within its bytes', (p - end) + ' bytes too few');
      ${keep} return y;
    } });`;
  });
  return `let at = 0, known = 0;
    ${finders.join('\n')}
    const view = ownShape();
    ${getters.join('\n')}
    seal(view);
    return (bytes, start, stop) => {
      ${readHeader(name, id)} b = bytes; end = stop; at = start; known = 0;
      return view;
    };`;
}
