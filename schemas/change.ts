import { type Bytes, readInt32, writeInt32 } from '../core/bytes.ts';
import { readonlyView } from '../core/flyweight.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde, View } from './schemas.ts';

/** What an update of a table's row does: it takes the old value away and brings the new one. One of them may be null. */
export interface Change<V> {
  readonly oldValue: V | null;
  readonly newValue: V | null;
}

/**
 * Changes of tables, as they lie in the topic of a grouped table. One byte: the version of this format (1) in its
 * upper half, in its lower half which values follow. Where both do, the length of the new value stands before it, as
 * int32; else the one value takes the rest.
 */
export function change<V>(inner: Serde<V>): Serde<Change<V>> {
  const name = `change(${inner.name})`;

  function ofParts<T>(
    parts: Parts,
    make: (serde: Serde<V>, start: number, end: number) => T,
  ): { readonly oldValue: T | null; readonly newValue: T | null } {
    const { oldStart, oldEnd, newStart, newEnd } = parts;
    return {
      oldValue: oldStart < 0 ? null : make(inner, oldStart, oldEnd),
      newValue: newStart < 0 ? null : make(inner, newStart, newEnd),
    };
  }

  return {
    name,
    schema: { change: inner.schema },
    decode: (bytes, start, end) =>
      ofParts(partsOf(name, bytes, start, end), (serde, from, to) => serde.decode(bytes, from, to)),
    read: (bytes, start, end) =>
      ofParts(partsOf(name, bytes, start, end), (serde, from, to) => serde.read(bytes, from, to)),
    encode(value, out) {
      if (value === null || typeof value !== 'object') mismatchValue(name, 'a change', value);
      const { oldValue = null, newValue = null } = value;
      if (oldValue === null && newValue === null) mismatchValue(name, 'an old or a new value', null);
      out.byte(VERSION | (oldValue === null ? 0 : OLD) | (newValue === null ? 0 : NEW));
      if (newValue !== null && oldValue !== null) {
        const { at } = out;
        out.int32(0);
        inner.encode(newValue, out);
        writeInt32(out.bytes, at, out.at - at - LENGTH_BYTES);
      } else if (newValue !== null) inner.encode(newValue, out);
      if (oldValue !== null) inner.encode(oldValue, out);
    },
    view: () => changeView(name, inner),
    cells: undefined,
  };
}

const VERSION = 0x10;
const NEW = 1;
const OLD = 2;
const LENGTH_BYTES = 4;

/** Where the values lie; -1: there is none. */
interface Parts {
  newStart: number;
  newEnd: number;
  oldStart: number;
  oldEnd: number;
}

function partsOf(name: string, bytes: Bytes, start: number, end: number): Parts {
  const parts = { newStart: -1, newEnd: -1, oldStart: -1, oldEnd: -1 };
  takeApart(name, bytes, start, end, parts);
  return parts;
}

function takeApart(name: string, bytes: Bytes, start: number, end: number, parts: Parts): void {
  const kind = end > start ? bytes[start]! : 0;
  const have = kind & 0x0f;
  if ((kind & 0xf0) !== VERSION || have === 0 || have > (NEW | OLD)) {
    mismatch(name, 'a change of version 1', end > start ? `byte ${kind}` : 'nothing');
  }
  let at = start + 1;
  let newEnd = end;
  if (have === (NEW | OLD)) {
    const length = end - at < LENGTH_BYTES ? -1 : readInt32(bytes, at);
    at += LENGTH_BYTES;
    newEnd = at + length;
    if (length < 0 || newEnd > end) mismatch(name, 'two values', `${end - start} bytes`);
  }
  parts.newStart = (have & NEW) === 0 ? -1 : at;
  parts.newEnd = newEnd;
  parts.oldStart = (have & OLD) === 0 ? -1 : (have & NEW) === 0 ? at : newEnd;
  parts.oldEnd = end;
}

function changeView<V>(name: string, inner: Serde<V>): View<Change<V>> {
  const oldView = inner.view();
  const newView = inner.view();
  const parts = { newStart: -1, newEnd: -1, oldStart: -1, oldEnd: -1 };
  let source: Bytes;
  const flyweight = readonlyView<Change<V>>({
    oldValue: () => (parts.oldStart < 0 ? null : oldView(source, parts.oldStart, parts.oldEnd)),
    newValue: () => (parts.newStart < 0 ? null : newView(source, parts.newStart, parts.newEnd)),
  });
  return (bytes, start, end) => {
    takeApart(name, bytes, start, end, parts);
    source = bytes;
    return flyweight;
  };
}
