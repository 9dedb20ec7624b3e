import type { Bytes } from '../core/bytes.ts';

/**
 * Avro schemas as TypeScript literals, and the type of the values they describe.
 *
 * `FromAvro` follows records, enums, arrays, maps, unions, fixed and references by name, also recursive ones.
 * Numbers of every width are `number` (long within ±2^53), bytes and fixed are `Buffer`, logical types are their
 * underlying type: `timestamp-millis` is a number of milliseconds. Unions are bare values, never wrapped.
 */
export type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export type AvroSchema = AvroPrimitive | (string & {}) | AvroComplex | readonly AvroSchema[];

export type AvroComplex =
  | AvroLogical
  | AvroRecord
  | AvroEnum
  | AvroFixed
  | { readonly type: 'array'; readonly items: AvroSchema }
  | { readonly type: 'map'; readonly values: AvroSchema };

/** A primitive, perhaps with a logical type, whose other attributes are ignored. */
export interface AvroLogical {
  readonly type: AvroPrimitive;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

interface AvroNamed {
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly aliases?: readonly string[];
}

export interface AvroRecord extends AvroNamed {
  readonly type: 'record';
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
  readonly order?: 'ascending' | 'descending' | 'ignore';
  readonly aliases?: readonly string[];
}

export interface AvroEnum extends AvroNamed {
  readonly type: 'enum';
  readonly symbols: readonly string[];
  readonly default?: string;
}

export interface AvroFixed extends AvroNamed {
  readonly type: 'fixed';
  readonly size: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

interface Primitives {
  null: null;
  boolean: boolean;
  int: number;
  long: number;
  float: number;
  double: number;
  bytes: Bytes;
  string: string;
}

/** The type of the values of a schema; `unknown` where the schema is not known to the compiler. */
export type FromAvro<S> = [AvroSchema] extends [S] ? unknown : ValueOf<S, S>;

/** `Root` is the schema in which names are looked up. */
type ValueOf<S, Root> = S extends keyof Primitives
  ? Primitives[S]
  : S extends string
    ? FromName<S, Root>
    : S extends readonly unknown[]
      ? ValueOf<S[number], Root>
      : S extends { readonly type: 'record'; readonly fields: infer Fields extends readonly unknown[] }
        ? FromFields<Fields, Root>
        : S extends { readonly type: 'enum'; readonly symbols: infer Symbols extends readonly string[] }
          ? Symbols[number]
          : S extends { readonly type: 'fixed' }
            ? Bytes
            : S extends { readonly type: 'array'; readonly items: infer Items }
              ? ValueOf<Items, Root>[]
              : S extends { readonly type: 'map'; readonly values: infer Values }
                ? { [key: string]: ValueOf<Values, Root> }
                : S extends { readonly type: infer Inner }
                  ? ValueOf<Inner, Root>
                  : never;

type FromFields<Fields extends readonly unknown[], Root> = {
  [F in Fields[number] as F extends { readonly name: infer Name extends string } ? Name : never]: F extends {
    readonly type: infer Type;
  }
    ? ValueOf<Type, Root>
    : never;
};

/** A reference: `Address`, or `geo.Address` with its namespace. */
type FromName<Name extends string, Root> = [Named<Root, LastPart<Name>>] extends [never]
  ? unknown
  : ValueOf<Named<Root, LastPart<Name>>, Root>;

type LastPart<Name extends string> = Name extends `${string}.${infer Rest}` ? LastPart<Rest> : Name;

/** The definition of a name anywhere within a schema. */
type Named<S, Name extends string> = Extract<Definitions<S>, { readonly name: Name | `${string}.${Name}` }>;

type Definitions<S> = S extends string
  ? never
  : S extends readonly unknown[]
    ? Definitions<S[number]>
    : S extends { readonly type: 'record'; readonly fields: infer Fields extends readonly unknown[] }
      ? S | Definitions<Fields[number]>
      : S extends { readonly type: 'enum' | 'fixed' }
        ? S
        : S extends { readonly type: 'array'; readonly items: infer Items }
          ? Definitions<Items>
          : S extends { readonly type: 'map'; readonly values: infer Values }
            ? Definitions<Values>
            : S extends { readonly type: infer Inner }
              ? Definitions<Inner>
              : never;
