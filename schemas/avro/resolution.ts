import type { AvroType, EnumType, FieldOf, FixedType, RecordType } from './model.ts';

/**
 * Avro's rules of schema resolution: which values written under one schema (the *writer's*) can be read under another
 * (the *reader's*), and what goes with what.
 *
 * - Fields go together by name, or by an alias of the reader's field; what the reader lacks is left out, what the writer
 *   lacks takes the reader's default, and without one cannot be read.
 * - Numbers widen (int, long, float, double in this order), strings and bytes go into each other.
 * - Records, enums and fixed have the same name, namespaces aside, or the reader's has an alias that is the writer's.
 * - A symbol that the reader's enum lacks is its default.
 * - Each branch of a writer's union has to be readable; of a reader's union the first branch of the same type is
 *   taken, else the first that the value can be widened to.
 */
export interface Unreadable {
  /** In the words of Avro's own checker. */
  readonly kind:
    | 'TYPE_MISMATCH'
    | 'NAME_MISMATCH'
    | 'FIXED_SIZE_MISMATCH'
    | 'MISSING_ENUM_SYMBOLS'
    | 'READER_FIELD_MISSING_DEFAULT_VALUE'
    | 'MISSING_UNION_BRANCH';
  /** Where, in the reader's schema: `Order.lines[].price`. */
  readonly field: string;
  readonly message: string;
}

/** Why values of the writer's schema cannot all be read under the reader's; empty where they can. */
export function unreadable(writer: AvroType, reader: AvroType): readonly Unreadable[] {
  return compare(writer, reader, nameOf(reader), new Map());
}

export function canRead(writer: AvroType, reader: AvroType): boolean {
  return unreadable(writer, reader).length === 0;
}

/** Pairs of records being compared: one that holds itself is readable where the rest is. */
type Open = Map<RecordType, Set<RecordType>>;

function compare(writer: AvroType, reader: AvroType, at: string, open: Open): readonly Unreadable[] {
  if (writer.kind === 'union') return writer.branches.flatMap((branch) => compare(branch, reader, at, open));
  if (reader.kind === 'union') return compareBranches(writer, reader.branches, at, open);
  if (promotes(writer, reader)) return [];
  if (writer.kind !== reader.kind) {
    return [problem('TYPE_MISMATCH', at, `is ${nameOf(reader)} where ${nameOf(writer)} was written`)];
  }
  if (writer.kind === 'array') return compare(writer.items, (reader as typeof writer).items, `${at}[]`, open);
  if (writer.kind === 'map') return compare(writer.values, (reader as typeof writer).values, `${at}{}`, open);
  if (!isNamed(writer) || !isNamed(reader)) return [];
  if (!sameName(writer, reader)) {
    return [problem('NAME_MISMATCH', at, `is ${reader.name} where ${writer.name} was written, and no alias says so`)];
  }
  if (writer.kind === 'fixed') {
    const { size } = reader as FixedType;
    if (size === writer.size) return [];
    return [problem('FIXED_SIZE_MISMATCH', at, `takes ${size} bytes where ${writer.size} were written`)];
  }
  if (writer.kind === 'enum') return compareSymbols(writer, reader as EnumType, at);
  return compareFields(writer, reader as RecordType, at, open);
}

function compareBranches(
  writer: AvroType,
  branches: readonly AvroType[],
  at: string,
  open: Open,
): readonly Unreadable[] {
  if (branches.some((branch) => compare(writer, branch, at, open).length === 0)) return [];
  // one of the same kind is what was meant: its own faults say more
  const meant = branches.find((branch) => branch.kind === writer.kind);
  if (meant !== undefined) return compare(writer, meant, at, open);
  const names = branches.map(nameOf).join(', ');
  return [problem('MISSING_UNION_BRANCH', at, `is one of ${names}, none of which takes the ${nameOf(writer)} written`)];
}

function compareSymbols(writer: EnumType, reader: EnumType, at: string): readonly Unreadable[] {
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
  if (missing.length === 0 || reader.default !== undefined) return [];
  const words = `lacks the ${missing.length === 1 ? 'symbol' : 'symbols'} ${missing.join(', ')}, and has no default`;
  return [problem('MISSING_ENUM_SYMBOLS', at, words)];
}

function compareFields(writer: RecordType, reader: RecordType, at: string, open: Open): readonly Unreadable[] {
  const against = open.get(writer) ?? new Set();
  if (against.has(reader)) return [];
  open.set(writer, against.add(reader));
  const sources = sourcesOf(writer, reader);
  const found = reader.fields.flatMap((field) => {
    const path = `${at}.${field.name}`;
    const source = sources.get(field);
    if (source !== undefined) return compare(source.type, field.type, path, open);
    if (field.default !== undefined) return [];
    return [problem('READER_FIELD_MISSING_DEFAULT_VALUE', path, 'was not written, and has no default')];
  });
  against.delete(reader);
  return found;
}

function problem(kind: Unreadable['kind'], field: string, words: string): Unreadable {
  return { kind, field, message: `${field} ${words}` };
}

const WIDER: { readonly [kind: string]: readonly string[] } = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

/** Primitive values of the one are read as such of the other. */
export function promotes(writer: AvroType, reader: AvroType): boolean {
  return WIDER[writer.kind]?.includes(reader.kind) === true;
}

/** The branch of a reader's union that takes values of a writer's type. */
export function branchFor(writer: AvroType, branches: readonly AvroType[]): AvroType | undefined {
  const same = branches.filter((branch) => branch.kind === writer.kind && canRead(writer, branch));
  const whole = same.find((branch) => !isNamed(branch) || branch.name === nameOf(writer));
  return whole ?? same[0] ?? branches.find((branch) => promotes(writer, branch));
}

/** The writer's field that each of the reader's fields is read from; those that have none are not among them. */
export function sourcesOf(writer: RecordType, reader: RecordType): ReadonlyMap<FieldOf, FieldOf> {
  const sources = new Map<FieldOf, FieldOf>();
  const free = new Map(writer.fields.map((field) => [field.name, field]));
  const take = (field: FieldOf, name: string) => {
    const source = free.get(name);
    if (source === undefined || sources.has(field)) return;
    sources.set(field, source);
    free.delete(name);
  };
  for (const field of reader.fields) take(field, field.name);
  for (const field of reader.fields) for (const alias of field.aliases) take(field, alias);
  return sources;
}

type Named = RecordType | EnumType | FixedType;

function isNamed(type: AvroType): type is Named {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed';
}

function sameName(writer: Named, reader: Named): boolean {
  return lastPart(writer.name) === lastPart(reader.name) || reader.aliases.includes(writer.name);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

export function nameOf(type: AvroType): string {
  return 'name' in type ? type.name : type.kind;
}
