import { type Bytes, readInt32 } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { type AvroType, schemaJson } from '../avro/model.ts';
import { unreadable } from '../avro/resolution.ts';
import { resolvingReader } from '../avro/resolving.ts';
import { avroOfType } from '../avro.ts';
import { mismatch } from '../mismatch.ts';
import type { Cells, Serde, View } from '../schemas.ts';
import type { RegisteredFormat, SchemaId, WriterSchemas } from './registry.ts';

const HEADER_BYTES = 5;

interface BoundParts<T> {
  readonly name: string;
  readonly schema: Json;
  readonly type: AvroType;
  readonly format: RegisteredFormat<T>;
  readonly id: SchemaId;
  readonly known: WriterSchemas;
}

/** A registered serde that has its id: the generated code for its own values, resolution for those of other schemas. */
export function bound<T>({ name, schema, type, format, id, known }: BoundParts<T>): Serde<T> {
  const own = avroOfType(type, name, id) as Serde<T>;
  const others = new OtherWriters<T>(name, type, known);
  const body = avroOfType(type, name, undefined) as Serde<T>;
  const choose =
    (reader: View<T>, alike: () => View<T>): View<T> =>
    (bytes, start, end) =>
      isOwn(bytes, start, end, id) ? reader(bytes, start, end) : others.read(bytes, start, end, alike);
  const bodyRead = () => body.read;
  return {
    name,
    schema,
    decode: choose(own.decode, bodyRead),
    read: choose(own.read, bodyRead),
    encode: id >= 0 ? own.encode : () => withoutId(name),
    view() {
      let view: View<T> | undefined;
      return choose(own.view(), () => (view ??= body.view()));
    },
    cells: own.cells === undefined ? undefined : boundCells(own.cells, id, others, bodyRead),
    registered: {
      ...format,
      ...(id >= 0 ? { id } : {}),
      isOwn: (bytes, start, end) => isOwn(bytes, start, end, id),
      fetch: () => known.fetch(),
    },
  };
}

/** Rows that were written by other schemas become rows of this one when they are read. */
function boundCells<T>(own: Cells<T>, id: SchemaId, others: OtherWriters<T>, body: () => View<T>): Cells<T> {
  return {
    ...own,
    decode(bytes, start, end, cells, base) {
      if (isOwn(bytes, start, end, id)) own.decode(bytes, start, end, cells, base);
      else own.store(others.read(bytes, start, end, body), cells, base);
    },
  };
}

function withoutId(name: string): never {
  throw new FlowError(
    'registry.unbound',
    `${name} has no id to be written with, since its schema is not registered; write it in a plan, or register it first`,
  );
}

function isOwn(bytes: Bytes, start: number, end: number, id: SchemaId): boolean {
  return end - start >= HEADER_BYTES && bytes[start] === 0 && readInt32(bytes, start + 1) === id;
}

/** Readers of values that other schemas wrote, made when the first value of each is met. */
class OtherWriters<T> {
  readonly #name: string;
  readonly #type: AvroType;
  readonly #known: WriterSchemas;
  /** `undefined` where the schema is the same as ours but for words about it. */
  readonly #readers = new Map<SchemaId, View<T> | undefined>();

  constructor(name: string, type: AvroType, known: WriterSchemas) {
    this.#name = name;
    this.#type = type;
    this.#known = known;
  }

  /** `alike` reads bodies of our own schema. */
  read(bytes: Bytes, start: number, end: number, alike: () => View<T>): T {
    if (end - start < HEADER_BYTES) {
      mismatch(this.#name, `the ${HEADER_BYTES} bytes of a schema registry header`, `${end - start} bytes`);
    }
    if (bytes[start] !== 0) {
      mismatch(this.#name, 'a schema registry header, whose first byte is 0', `the byte ${bytes[start]}`);
    }
    const id = readInt32(bytes, start + 1);
    const reader = this.#readers.get(id) ?? (this.#readers.has(id) ? undefined : this.#make(id));
    return (reader ?? alike())(bytes, start + HEADER_BYTES, end);
  }

  #make(id: SchemaId): View<T> | undefined {
    const writer = this.#known.of(id) ?? this.#known.want(id);
    if (typeof writer === 'string') mismatch(this.#name, 'the id of a schema', writer);
    const [fault] = unreadable(writer, this.#type);
    if (fault !== undefined) {
      mismatch(this.#name, 'a schema that can be read as this one', `schema id ${id}: ${fault.message}`);
    }
    const isSame = JSON.stringify(schemaJson(writer)) === JSON.stringify(schemaJson(this.#type));
    const reader = isSame ? undefined : (resolvingReader(writer, this.#type, this.#name) as View<T>);
    this.#readers.set(id, reader);
    return reader;
  }
}
