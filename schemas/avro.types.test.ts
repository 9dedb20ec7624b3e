import { type AvroSchema, avro, type FromAvro } from './schemas.ts';

/** Checked by the compiler: a wrong inference, or a missing error, fails the type check. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_holds: Equal<A, B>): void {}

const address = {
  type: 'record',
  name: 'Address',
  namespace: 'geo',
  fields: [
    { name: 'city', type: 'string' },
    { name: 'zip', type: ['null', 'int'] },
  ],
} as const;
type Address = { city: string; zip: number | null };
same<FromAvro<typeof address>, Address>(true);

const flight = {
  type: 'record',
  name: 'Flight',
  fields: [
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'delay', type: 'int' },
    { name: 'origin', type: 'string', doc: 'IATA code' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['GONE', 'LATE'] } },
    { name: 'before', type: 'Status' },
    { name: 'from', type: address },
    { name: 'to', type: ['null', 'geo.Address'] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'seats', type: { type: 'map', values: ['null', 'double', 'boolean'] } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'nothing', type: 'null' },
  ],
} as const;
type Status = 'GONE' | 'LATE';
interface Flight {
  time: number;
  delay: number;
  origin: string;
  status: Status;
  before: Status;
  from: Address;
  to: Address | null;
  tags: string[];
  seats: { [key: string]: number | boolean | null };
  hash: Buffer;
  nothing: null;
}
type Inferred = FromAvro<typeof flight>;
const forth: (value: Inferred) => Flight = (value) => value;
const back: (value: Flight) => Inferred = (value) => value;
void forth;
void back;
same<Inferred['to'], Address | null>(true);
same<Inferred['status'], Status>(true);
same<Inferred['seats'], { [key: string]: number | boolean | null }>(true);

const node = {
  type: 'record',
  name: 'Node',
  fields: [
    { name: 'value', type: 'long' },
    { name: 'children', type: { type: 'array', items: 'Node' } },
    { name: 'next', type: ['null', 'Node'] },
  ],
} as const;
type Node = FromAvro<typeof node>;
const tree: Node = { value: 1, children: [{ value: 2, children: [], next: null }], next: null };
same<NonNullable<Node['next']>['children'][number]['value'], number>(true);
void tree;

const inline = avro({ type: 'record', name: 'Small', fields: [{ name: 'a', type: 'long' }] });
same<ReturnType<typeof inline.decode>, { a: number }>(true);
same<ReturnType<ReturnType<typeof avro<'string'>>['decode']>, string>(true);

// @ts-expect-error a field of another type
const wrongType: Inferred = { ...({} as Inferred), delay: 'late' };
// @ts-expect-error a symbol that the enum does not have
const wrongSymbol: Inferred['status'] = 'EARLY';
// @ts-expect-error a field is missing
const missing: Address = { city: 'Rome' };
// @ts-expect-error null is not in the union
const notNullable: Inferred['origin'] = null;
export function neverCalled(): void {
  // @ts-expect-error an attribute that Avro does not know
  avro({ type: 'record', name: 'Bad', fields: [{ nam: 'a', type: 'long' }] });
  // @ts-expect-error an array without items
  avro({ type: 'array', values: 'long' });
}

const dynamic: AvroSchema = 'long';
same<FromAvro<AvroSchema>, unknown>(true);
same<ReturnType<ReturnType<typeof avro<typeof dynamic>>['decode']>, unknown>(true);
void wrongType;
void wrongSymbol;
void missing;
void notNullable;
