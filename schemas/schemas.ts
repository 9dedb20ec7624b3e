import type { Bytes, ByteWriter } from '../core/bytes.ts';
import type { Json } from '../core/ids.ts';
import type { RegisteredFormat } from './registry/registry.ts';

/**
 * Data contracts: how a key or a value lies in bytes, and what its TypeScript type is.
 *
 * A {@link Serde} has several ways in, from slow and obvious to fast:
 *
 * - `decode` makes a plain value that may be kept. It is the reference the others are tested against; `read` is its
 *   fast twin.
 * - `view()` makes a *flyweight*: one object that is moved over the bytes and decodes a field when it
 *   is read. It is valid only during the call it was handed to; `toPlain` copies it. Spreading it
 *   (`{ ...view }`), `JSON.stringify` and `Object.keys` work, since its fields are its own enumerable
 *   accessors. Serdes whose values are primitives (strings, numbers) just decode.
 * - `cells` (only where every field is a number or boolean): the value as a row of doubles, for typed
 *   tables that keep millions of rows without an object each.
 *
 * Avro values carry the Confluent header (magic byte 0, schema id, 4 bytes big-endian) where the serde
 * was made with a schema id or a registry keeps its schema, else they are bare Avro bodies. Undecodable bytes raise
 * `FlowError('schema.mismatch')` naming the field; so does a value that does not fit at `encode`.
 *
 * Equal serdes have equal `name`s: the name stands for the format in plans.
 */
export interface Serde<T> {
  /** Printable and unique per format: `string`, `int64`, `json`, `avro:Flight#1a2b3c4d`. */
  readonly name: string;
  /** What the format is, as JSON for plans and checks: an Avro schema, or the name again. */
  readonly schema: Json;
  decode(bytes: Bytes, start: number, end: number): T;
  /** The same plain value by generated code, where there is such: what stores hand out. Tested against `decode`. */
  read(bytes: Bytes, start: number, end: number): T;
  /** Appends the encoded value. The value may be a view of this or another serde of like fields. */
  encode(value: T, out: ByteWriter): void;
  /** A new flyweight. Each chain of operators makes its own. */
  view(): View<T>;
  /** The value as a row of doubles, where it has a fixed shape of numbers and booleans. */
  readonly cells: Cells<T> | undefined;
  /** What a registry keeps of it, where one does: it has to be bound before it is used; see `registry/registry.ts`. */
  readonly registered?: RegisteredFormat<T>;
}

/** Moves the flyweight to `bytes[start, end)` and returns it: always the same object for records. */
export type View<T> = (bytes: Bytes, start: number, end: number) => T;

/**
 * A row of `width` doubles, row-major, in a `Float64Array` that the table owns. `row()` makes one
 * accessor object over `(cells, base)`; its fields read and *write* the cells, so that an aggregate
 * can be updated in place. For a bare number the row object is not needed: width 1, the cell is the value.
 */
export interface Cells<T> {
  readonly width: number;
  /** A new row accessor: `row(cells, base)` moves it there and returns it. */
  row(): (cells: Float64Array, base: number) => T;
  /** Copies any value of the type (plain, view or row) into the cells. */
  store(value: T, cells: Float64Array, base: number): void;
  encode(cells: Float64Array, base: number, out: ByteWriter): void;
  decode(bytes: Bytes, start: number, end: number, cells: Float64Array, base: number): void;
}

export { canonicalSchema } from './avro/canonical.ts';
export type { AvroType } from './avro/model.ts';
export { type Unreadable, unreadable } from './avro/resolution.ts';
export { avro, isAvro } from './avro.ts';
export type { AvroSchema, FromAvro } from './avro-types.ts';
export { type Buffered, BufferedRow, buffered, writeBuffered } from './buffered.ts';
export { type Change, change } from './change.ts';
export { distinctRow, precisionFor } from './distinct.ts';
export { type Identified, identified } from './identified.ts';
export { json } from './json.ts';
export { type Mean, meanRow } from './mean.ts';
/** A copy that may be kept, of a view, a row or a plain value. */
export { toPlain } from './plain.ts';
export { bytes, double, int32, int64, string } from './primitives.ts';
export { quantileRow } from './quantiles.ts';
export { type CheckedEdge, checkEdge, type EdgeFault, type SchemaEdge } from './registry/check-edge.ts';
export { createRegistryClient, type RegistryClientParts } from './registry/client.ts';
export { levelFaults, levelFaultText } from './registry/compatibility.ts';
export { httpTransport } from './registry/http.ts';
export { KnownSchemas } from './registry/known-schemas.ts';
export { localRegistry } from './registry/local.ts';
export { documentOf, parsedSchema } from './registry/parsed-schema.ts';
export { reframe } from './registry/reframe.ts';
export { registered } from './registry/registered.ts';
export {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  type RegisteredFormat,
  type RegisteredOptions,
  type RegistryFigures,
  type RegistryOptions,
  type RegistryOutage,
  type SchemaId,
  type SchemaReference,
  type SchemaRegistry,
  type SchemaText,
  type SchemaVersion,
  type SubjectStrategy,
} from './registry/registry.ts';
export { REST_TYPE } from './registry/transport.ts';
export { sessionWindowed } from './session-windowed.ts';
export { type Countable, DistinctCount } from './sketches/distinct-count.ts';
export { Quantiles } from './sketches/quantiles.ts';
export { type Timed, timed } from './timed.ts';
export { addTop, compareTop, type TopItem, topRow } from './top.ts';
export { type Windowed, type WindowedSerde, windowed } from './windowed.ts';
