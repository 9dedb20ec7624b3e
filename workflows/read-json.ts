import type { Json } from '../core/ids.ts';
import { FORBIDDEN } from '../expressions/expressions.ts';
import type { FaultList, Path } from './faults.ts';

/** What a document may hold at most. A record of `nf.definitions` has to hold it too. */
export const MAX_DOCUMENT_BYTES = 1_000_000;
export const MAX_DOCUMENT_DEPTH = 64;
export const MAX_DOCUMENT_VALUES = 500_000;

export function isReserved(name: string): boolean {
  return FORBIDDEN.has(name);
}

interface Reading {
  readonly faults: FaultList;
  bytes: number;
  values: number;
  stopped: boolean;
}

/**
 * A plain copy of what somebody gave as a document: only JSON, only own fields, nothing that runs code when it is read.
 * What cannot be copied is left out and told. `undefined`: nothing can be said about the rest.
 */
export function readJson(given: unknown, faults: FaultList): Json | undefined {
  const reading: Reading = { faults, bytes: 0, values: 0, stopped: false };
  try {
    const copy = copyOf(given, [], reading);
    return reading.stopped ? undefined : copy;
  } catch {
    // a proxy, which runs code when it is looked at
    return notJson('an object that cannot be read', [], reading);
  }
}

function copyOf(value: unknown, path: Path, reading: Reading): Json | undefined {
  if (reading.stopped || !counted(value, path, reading)) return undefined;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') return notJson(`a ${typeof value}`, path, reading);
  if (path.length >= MAX_DOCUMENT_DEPTH) {
    reading.faults.add(
      'workflow.too-deep',
      path.slice(0, MAX_DOCUMENT_DEPTH),
      `objects and lists lie in each other deeper than ${MAX_DOCUMENT_DEPTH}`,
      'Make the document flatter; an object that contains itself is no JSON.',
    );
    return undefined;
  }
  return Array.isArray(value) ? listCopy(value, path, reading) : objectCopy(value, path, reading);
}

function listCopy(list: readonly unknown[], path: Path, reading: Reading): Json | undefined {
  const copy: Json[] = [];
  for (let i = 0; i < list.length && !reading.stopped; i++) copy.push(copyOf(list[i], [...path, i], reading) ?? null);
  return copy;
}

function objectCopy(object: object, path: Path, reading: Reading): Json | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  const plain = prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
  if (!plain) return notJson(`a ${nameOf(object)}`, path, reading);
  const copy: { [name: string]: Json } = {};
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    if (reading.stopped) break;
    if (descriptor.enumerable !== true) continue;
    if (isReserved(name)) {
      const cure = 'Choose another name.';
      reading.faults.add('workflow.prototype-name', [...path, name], `no field may be called ${name}`, cure);
      continue;
    }
    reading.bytes += name.length + 3;
    if (!('value' in descriptor)) notJson('a computed field', [...path, name], reading);
    else if (descriptor.value !== undefined) {
      const field = copyOf(descriptor.value, [...path, name], reading);
      if (field !== undefined) copy[name] = field;
    }
  }
  return copy;
}

/** Adds a value to what was read so far; false where that is too much. */
function counted(value: unknown, path: Path, reading: Reading): boolean {
  reading.values++;
  reading.bytes += typeof value === 'string' ? Buffer.byteLength(value) + 2 : 2;
  const what =
    reading.values > MAX_DOCUMENT_VALUES
      ? `${MAX_DOCUMENT_VALUES.toLocaleString('en-US')} values`
      : reading.bytes > MAX_DOCUMENT_BYTES
        ? `${MAX_DOCUMENT_BYTES.toLocaleString('en-US')} bytes`
        : undefined;
  if (what === undefined) return true;
  reading.stopped = true;
  const cure = 'Split the workflow into several, joined by nodes of type workflow, and keep data out of it.';
  reading.faults.add('workflow.too-large', path.slice(0, 1), `the document has more than ${what}`, cure);
  return false;
}

function notJson(what: string, path: Path, { faults }: Reading): undefined {
  faults.add(
    'workflow.not-json',
    path,
    `there is ${what}, which is no JSON`,
    'Give texts, numbers, lists and objects only.',
  );
  return undefined;
}

function nameOf(object: object): string {
  const maker = (object as { readonly constructor?: unknown }).constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'special object';
}
